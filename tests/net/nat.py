"""nat.py - NAT boxes made of nftables rules

The kinds are those of RFC 3489, one client behind each box:

  cone       one mapping for all destinations, anyone may send to it
  address    the same mapping; only addresses that were sent to may answer
  port       the same mapping; only address and port that were sent to
  symmetric  another mapping for each destination; filtered like `port`

Mapping: masquerade keeps the port where it is free, so that one socket has
one mapping; with fully-random each conntrack entry has a port of its own,
towards servers (both their addresses) and others from ranges that have nothing
in common: else one NAT in 64,512 would look as if it were restricted.
Filtering: conntrack itself filters by address and port. `cone` and `address`
forward what comes from elsewhere to the one client.

What is not forwarded is dropped in `input`, which comes before conntrack
confirms the entry. An entry that stayed would occupy the port: the client's
own packet to that peer would then leave from another one, and hole punching
would fail as it does not behind real routers.
"""
import socket
import struct

KINDS = ("none", "cone", "address", "port", "symmetric")

NFCT_DELETE = 1 << 8 | 2        # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
NLM_F_REQUEST, NLM_F_ACK = 1, 4
NETLINK_NETFILTER = 12

RULES = """
table ip nat {{
    set asked {{
        type ipv4_addr
        flags dynamic, timeout
        timeout 2m
    }}
    chain post {{
        type nat hook postrouting priority srcnat
        {random}
        oifname "wan" masquerade
    }}
    chain pre {{
        type nat hook prerouting priority dstnat
        iifname "wan" meta l4proto udp {inbound}
    }}
    chain input {{
        type filter hook input priority filter
        iifname "wan" meta l4proto udp drop
    }}
    chain forward {{
        type filter hook forward priority filter
        oifname "wan" meta l4proto udp update @asked {{ ip daddr }}
        iifname "wan" ct state new ct status ! dnat drop
    }}
}}
"""

RANDOM = """
        oifname "wan" ip daddr 192.0.2.0/24 ip daddr & 0.0.0.1 == 0.0.0.0 \\
            meta l4proto udp masquerade to :1024-21999 fully-random
        oifname "wan" ip daddr 192.0.2.0/24 \\
            meta l4proto udp masquerade to :22000-42999 fully-random
        oifname "wan" meta l4proto udp masquerade to :43000-65535 fully-random
"""


def rules(kind, client):
    """The rule set of a box of that kind in front of that client."""
    inbound = {"cone": f"dnat to {client}",
               "address": f"ip saddr @asked dnat to {client}",
               "port": "accept",
               "symmetric": "accept"}[kind]
    random = RANDOM if kind == "symmetric" else ""
    return RULES.format(inbound=inbound, random=random)


def forget(box):
    """The box forgets all its mappings, as after a restart."""
    with box.net():
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                          NETLINK_NETFILTER)
    with s:
        s.send(struct.pack("=IHHIIBBH", 20, NFCT_DELETE,
                           NLM_F_REQUEST | NLM_F_ACK, 1, 0,
                           socket.AF_INET, 0, 0))
        error, = struct.unpack_from("=i", s.recv(4096), 16)
    if error:
        raise OSError(-error, "cannot flush the connection table")
    box.run("nft", "flush", "set", "ip", "nat", "asked")

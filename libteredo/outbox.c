/*
 * outbox.c - what the protocol makes up itself, in order
 *
 * Two fixed areas: items in the order in which they were put in, and the
 * octets that they speak of. Nothing is taken out one by one: the shell goes
 * through all of it and clears it. An item that does not fit is counted in
 * `lost` and left out whole; that is a bug of whoever put it in without
 * asking for room, and the tests look at `lost`.
 */
#include "outbox.h"

#include <assert.h>
#include <string.h>

void outbox_clear(struct teredo_outbox *ob)
{
	ob->n = 0;
	ob->used = 0;
}

bool outbox_room(const struct teredo_outbox *ob, unsigned items, size_t bytes)
{
	return items <= OUTBOX_ITEMS - ob->n &&
	       bytes <= OUTBOX_BYTES - ob->used;
}

static struct outbox_item *append(struct teredo_outbox *ob,
				  enum outbox_kind kind, size_t len)
{
	struct outbox_item *item;

	if (!outbox_room(ob, 1, len)) {
		ob->lost++;
		return NULL;
	}
	item = &ob->item[ob->n++];
	*item = (struct outbox_item){
		.kind = kind,
		.off = (uint32_t)ob->used,
		.len = (uint32_t)len,
	};
	ob->used += len;
	return item;
}

uint8_t *outbox_udp(struct teredo_outbox *ob, enum teredo_via via,
		    struct teredo_ep to, size_t len)
{
	struct outbox_item *item = append(ob, OUTBOX_UDP, len);

	if (item == NULL)
		return NULL;
	item->via = via;
	item->to = to;
	return ob->data + item->off;
}

uint8_t *outbox_packet(struct teredo_outbox *ob, enum outbox_kind kind,
		       size_t len)
{
	struct outbox_item *item;

	assert(kind == OUTBOX_TUN || kind == OUTBOX_NATIVE6);
	item = append(ob, kind, len);
	return item == NULL ? NULL : ob->data + item->off;
}

void outbox_news(struct teredo_outbox *ob, enum outbox_kind kind,
		 const struct teredo_addr *addr, struct teredo_ep to,
		 uint32_t arg)
{
	struct outbox_item *item;

	assert(kind >= OUTBOX_ADDRESS);
	item = append(ob, kind, 0);
	if (item == NULL)
		return;
	if (addr != NULL)
		item->addr = *addr;
	item->to = to;
	item->arg = arg;
}

const uint8_t *outbox_data(const struct teredo_outbox *ob,
			   const struct outbox_item *item)
{
	return ob->data + item->off;
}

# fish completion of miredoctl(8), which knows itself what could come next

function __miredoctl_complete
	set -l typed (commandline -opc) (commandline -ct)
	set -e typed[1]
	miredoctl complete -- $typed 2>/dev/null
end
complete -c miredoctl -f -a '(__miredoctl_complete)'
for option in config output run-dir write
	complete -c miredoctl -l $option -r -F
end

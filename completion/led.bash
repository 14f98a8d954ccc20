# SPDX-License-Identifier: MIT
# Completes led(1) in bash, with the names of the LEDs.

# The names of the LEDs on the machine that an option names, if it does.
_led_names() {
	timeout 1 led "$@" list 2>/dev/null | cut -d ' ' -f 1
}

_led() {
	local line=${COMP_LINE:0:COMP_POINT} current="" words=() host=() command=() offered i
	local verbs="on off toggle status pulse watch"
	# bash itself would split HOST:PORT.
	read -ra words <<<"$line"
	if [[ $line != *[[:blank:]] ]]; then
		current=${words[-1]}
		unset 'words[-1]'
	fi
	for ((i = 1; i < ${#words[@]}; i++)); do
		case ${words[i]} in
		-H) host=(-H "${words[++i]}") ;;
		-H*) host=("${words[i]}") ;;
		-*) ;;
		*) command+=("${words[i],,}") ;;
		esac
	done

	COMPREPLY=()
	if [[ ${words[-1]} == -H ]]; then
		mapfile -t COMPREPLY < <(compgen -A hostname -- "$current")
		return
	fi
	case "${command[*]}" in
	"") offered="$verbs all list $(_led_names "${host[@]}")" ;;
	all) offered="on off" ;;
	list) offered="kinds" ;;
	on | off | toggle | status | pulse | watch | *" "*) offered="" ;;
	*) offered=$verbs ;;
	esac
	[[ $current != -* ]] || offered="-H --help --version"
	mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
}

complete -F _led led

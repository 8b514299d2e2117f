# Completions from the help texts: awk -v shell=bash -f completion.awk HELP..., where HELP is a
# file NAME.help that holds what `ioasis NAME --help` prints; ioasis.help is the program's own.

function base(path) {
	sub(/.*\//, "", path)
	sub(/\.help$/, "", path)
	return path
}

FNR == 1 { command = base(FILENAME); in_commands = 0 }
command == "ioasis" && /^Commands:/ { in_commands = 1; next }
command == "ioasis" && /^$/ { in_commands = 0 }
in_commands {
	name = $1
	$1 = ""
	sub(/^ /, "")
	names[++count] = name
	about[name] = $0
}
command != "ioasis" && /^  -/ {
	option = $1
	argument = $2
	if (option ~ /^-[a-z],$/) {
		options[command] = options[command] " " substr(option, 1, 2)
		option = $2
		argument = $3
	}
	options[command] = options[command] " " option
	if (argument ~ /^\[?[A-Z]/ || argument ~ /[|]/)
		takes[command] = takes[command] " " option
}

END {
	if (shell == "zsh") {
		print "#compdef ioasis\n# Generated from the help texts of ioasis.\n"
		print "local -a commands\ncommands=("
		for (i = 1; i <= count; i++) {
			text = about[names[i]]
			gsub(/'/, "", text)
			printf "\t'%s:%s'\n", names[i], text
		}
		print ")\nif (( CURRENT == 2 )); then\n\t_describe -t commands command commands\n\treturn\nfi"
		print "if [[ ${words[CURRENT]} == -* ]]; then\n\tcase ${words[2]} in"
		for (i = 1; i <= count; i++)
			printf "\t%s) compadd --%s ;;\n", names[i], options[names[i]]
		print "\tesac\nelse\n\t_files\nfi"
		exit
	}
	print "# Completion of ioasis for bash. Generated from its help texts."
	print "_ioasis()\n{"
	print "\tlocal word=${COMP_WORDS[COMP_CWORD]} options="
	print "\tCOMPREPLY=()\n\tif [ \"$COMP_CWORD\" = 1 ]; then"
	printf "\t\tmapfile -t COMPREPLY < <(compgen -W '--help --version"
	for (i = 1; i <= count; i++)
		printf " %s", names[i]
	print "' -- \"$word\")\n\t\treturn\n\tfi"
	print "\tcase ${COMP_WORDS[1]} in"
	for (i = 1; i <= count; i++)
		printf "\t%s) options='%s' ;;\n", names[i], substr(options[names[i]], 2)
	print "\tesac\n\tcase $word in"
	print "\t-*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\") ;;"
	print "\t*) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n\tesac\n}"
	print "complete -o filenames -F _ioasis ioasis"
}

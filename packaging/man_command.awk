# The help text of a command becomes its man page: awk -v name=ioasis-check -v version=0.1.0
#   -v about='check that ...' -f man_command.awk; the text is what --help prints.

function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	if (text ~ /^[.']/)
		text = "\\&" text
	return text
}

function begin_section(title) {
	end_lines()
	print ".SH " toupper(title)
	section = title
}

function end_lines() {
	if (in_lines)
		print ".fi\n.RE"
	in_lines = 0
}

BEGIN {
	printf ".TH %s 1 \"\" \"ioasis %s\" \"ioasis\"\n", toupper(name), version
	print ".SH NAME\n" roff(name) " \\- " roff(about)
}

/^Usage: / {
	print ".SH SYNOPSIS"
	command = name
	sub(/^ioasis-(vmm|bench)$/, "", command)
	text = substr($0, 8)
	if (match(text, /^[a-z-]+( [a-z]+)?/))
		print ".B " roff(substr(text, 1, RLENGTH)) "\n" roff(substr(text, RLENGTH + 2))
	print ".SH DESCRIPTION"
	next
}

/^[A-Z][A-Za-z ]*:$/ {
	begin_section(substr($0, 1, length($0) - 1))
	next
}

# An option, or a command of the list: its name, two spaces or more, what it does.
/^  [-a-z]/ && (section == "Options" || section == "Commands") {
	text = substr($0, 3)
	print ".TP"
	if (match(text, /  +/)) {
		print ".B " roff(substr(text, 1, RSTART - 1))
		print roff(substr(text, RSTART + RLENGTH))
	} else {
		print ".B " roff(text)
	}
	next
}

/^   / && (section == "Options" || section == "Commands") {
	sub(/^ +/, "")
	print roff($0)
	next
}

# Indented lines of other sections stand as they are.
/^ / {
	if (!in_lines)
		print ".RS\n.nf"
	in_lines = 1
	sub(/^ +/, "")
	print roff($0)
	next
}

/^$/ {
	end_lines()
	if (section != "Options" && section != "Commands")
		print ".PP"
	else
		section = ""
	next
}

{
	end_lines()
	if (section == "" && was_list)
		print ".PP"
	print roff($0)
}

END {
	end_lines()
	print ".SH SEE ALSO\n.BR ioasis (1)"
}

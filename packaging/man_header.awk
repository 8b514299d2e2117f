# A header becomes a man page of its functions: awk -v name=iommufd_backend.h -v version=0.1.0
#   -v about='...' -f man_header.awk iommufd_backend.h
# With -v list=1 it prints the functions' names instead.

function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	if (text ~ /^[.']/)
		text = "\\&" text
	return text
}

function take_comment(line) {
	sub(/^\/\* ?/, "", line)
	sub(/^ \*\/?( |$)/, "", line)
	sub(/ ?\*\/$/, "", line)
	comment = comment line "\n"
}

function print_comment(    lines, count, i) {
	count = split(comment, lines, "\n")
	for (i = 1; i < count; i++) {
		if (lines[i] == "")
			print (i > 1 ? ".PP" : ".\\\"")
		else
			print roff(lines[i])
	}
	comment = ""
}

BEGIN {
	if (!list) {
		printf ".TH %s 3 \"\" \"ioasis %s\" \"ioasis\"\n", toupper(name), version
		print ".SH NAME\n" roff(name) " \\- " roff(about)
		print ".SH SYNOPSIS\n.B #include <ioasis/" substr(name, 8) ">\n.PP\n" \
			"Link with what \\fBpkg\\-config \\-\\-cflags \\-\\-libs ioasis\\-backend\\fR says."
		print ".SH DESCRIPTION"
	}
}

/^\/\* SPDX/ { next }
/^\/\* ----/ {
	if (!list) {
		gsub(/^\/\* -+ | -+ \*\/$/, "")
		print ".SH " toupper(roff($0))
	}
	next
}
/^\/\*/ { comment = "" }
/^\/\*/ || in_comment {
	take_comment($0)
	in_comment = $0 !~ /\*\//
	if (!in_comment && !had_head) {
		had_head = 1
		if (!list)
			print_comment()
	}
	next
}
/^#/ || /^extern "C"/ || /^}$/ { next }
/^$/ { if (declaration == "") comment = ""; next }
{
	declaration = declaration $0 "\n"
	depth += gsub(/{/, "{") - gsub(/}/, "}")
	if (depth > 0 || $0 !~ /;( *\/\*.*\*\/)?$/)
		next
	is_type = declaration ~ /^(typedef|struct|enum)/ && declaration !~ /\) *(IOASIS_[A-Z]+\([^;]*)?;\n$/ || \
		declaration ~ /^typedef/
	if (list) {
		if (!is_type && match(declaration, /[a-z_0-9]+\(/))
			print substr(declaration, RSTART, RLENGTH - 1)
	} else {
		gsub(/[ \t\n]*IOASIS_[A-Z]+\([^)]*\)/, "", declaration)
		print ".PP\n.nf"
		count = split(declaration, lines, "\n")
		for (i = 1; i < count; i++)
			print ".B \"" roff(no_quotes(lines[i])) "\""
		print ".fi"
		if (comment != "") {
			print ".RS 4"
			print_comment()
			print ".RE"
		}
	}
	declaration = ""
}

function no_quotes(text) {
	gsub(/"/, "\\(dq", text)
	gsub(/\t/, "    ", text)
	return text
}

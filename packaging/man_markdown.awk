# A page of docs/ becomes a man page: awk -v name=ioasis-rules -v section=5 -v version=0.1.0
#   -v about='rules of your own' -f man_markdown.awk docs/RULES.md

function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return text
}

# Words in backquotes and asterisks are bold; of a link its text stays.
function inline(text,    out, word) {
	while (match(text, /\[[^]]*\]\([^)]*\)/)) {
		word = substr(text, RSTART + 1, RLENGTH - 1)
		sub(/\].*/, "", word)
		text = substr(text, 1, RSTART - 1) word substr(text, RSTART + RLENGTH)
	}
	text = roff(text)
	out = ""
	while (match(text, /`[^`]+`|\*\*[^*]+\*\*/)) {
		word = substr(text, RSTART, RLENGTH)
		gsub(/^(`|\*\*)|(`|\*\*)$/, "", word)
		out = out substr(text, 1, RSTART - 1) "\\fB" word "\\fR"
		text = substr(text, RSTART + RLENGTH)
	}
	out = out text
	if (out ~ /^[.']/)
		out = "\\&" out
	return out
}

function end_code() {
	if (in_code)
		print ".fi\n.RE"
	in_code = 0
}

BEGIN {
	printf ".TH %s %s \"\" \"ioasis %s\" \"ioasis\"\n", toupper(name), section, version
	print ".SH NAME\n" roff(name) " \\- " roff(about)
	print ".SH DESCRIPTION"
}

/^```/ {
	if (in_fence) {
		in_fence = 0
		end_code()
	} else {
		in_fence = in_code = 1
		print ".RS\n.nf"
	}
	next
}
in_fence {
	text = roff($0)
	print (text ~ /^[.']/ ? "\\&" : "") text
	next
}
/^    / && !in_item {
	if (!in_code)
		print ".RS\n.nf"
	in_code = 1
	text = roff(substr($0, 5))
	print (text ~ /^[.']/ ? "\\&" : "") text
	next
}
/^# / { next }
/^## / {
	end_code()
	in_item = 0
	print ".SH " toupper(inline(substr($0, 4)))
	next
}
/^###+ / {
	end_code()
	in_item = 0
	sub(/^#+ /, "")
	print ".SS " inline($0)
	next
}
/^\|[ :-]*-[-| :]*$/ { next }
# A row of a table: its first cell, and the others as text below it.
/^\|/ {
	end_code()
	count = split($0, cells, "|")
	print ".TP\n" inline(cells[2] ~ /^ *$/ ? " \\&" : cells[2])
	text = ""
	for (i = 3; i < count; i++) {
		sub(/^ +/, "", cells[i])
		sub(/ +$/, "", cells[i])
		text = text (text == "" || cells[i] == "" ? "" : "; ") cells[i]
	}
	print text == "" ? "\\&" : inline(text)
	in_table = 1
	next
}
/^- |^[0-9]+\. / {
	end_code()
	sub(/^(-|[0-9]+\.) /, "")
	print ".IP \\(bu 2\n" inline($0)
	in_item = 1
	next
}
/^$/ {
	end_code()
	in_item = in_table = 0
	print ".PP"
	next
}
{
	end_code()
	sub(/^ +/, "")
	print inline($0)
}

END {
	end_code()
	print ".SH SEE ALSO\n.BR ioasis (1)"
}

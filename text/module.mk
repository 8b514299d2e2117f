# Text that others read: UTF-8, JSON, XML. Includes nothing of ours.

text_srcs := \
	text/json_out.c \
	text/utf8.c \
	text/xml_out.c

# The fake device (engine, fuse, exec) and the simulator (des, scenario).

engine_srcs :=
inproc_srcs := \
	sim/inproc/inproc.c \
	sim/inproc/trusted.c
fuse_srcs :=
exec_srcs :=
des_srcs := \
	sim/des/des.c \
	sim/des/event_queue.c \
	sim/des/random.c
scenario_srcs :=

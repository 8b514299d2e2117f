# The fake device (engine, fuse, exec) and the simulator (des, scenario).

engine_srcs :=
fuse_srcs :=
exec_srcs :=
des_srcs :=
scenario_srcs :=

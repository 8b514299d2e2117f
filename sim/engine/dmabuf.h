/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dma-buf as a file: the base of all kinds of them. engine.h has what others make. */
#ifndef IOASIS_ENGINE_DMABUF_H
#define IOASIS_ENGINE_DMABUF_H

#include "sim/engine/anon_file.h"
#include "sim/engine/pages.h"

/*
 * It lives as long as its file or any pages that came from it, which may be in other
 * contexts; so its state is atomic and under no lock.
 */
struct engine_dmabuf {
	struct engine_anon_file file; /* its reference is the process's */
	struct iopt_dmabuf dmabuf;
	struct engine_dmabuf_config config; /* of engine_dmabuf_create() */
	void *owned;			    /* freed with it; may be NULL */
};

/* Sets up a zeroed one. ctx may be NULL. */
void dmabuf_init(struct engine_dmabuf *dmabuf, struct engine *engine, struct engine_ctx *ctx);

#endif

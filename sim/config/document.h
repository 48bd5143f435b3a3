/*
 * A config as one JSON tree: the file, what it includes, and --set overrides, laid over each other,
 * and which of them each value came from.
 */
#ifndef WEIR_CONFIG_DOCUMENT_H
#define WEIR_CONFIG_DOCUMENT_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/error.h"
#include "base/export.h"
#include "base/keys.h"
#include "base/memory.h"

WEIR_BEGIN_C

typedef struct weir_document weir_document;

/* Overrides that a file says, such as a shape of a family: laid over the files, below `sets`. */
typedef struct weir_document_said {
	const char *origin;      /* what errors in them name */
	const char *directory;   /* where relative file names in them start */
	const char *const *sets; /* "path=value", in order */
	size_t count;
} weir_document_said;

typedef struct weir_document_options {
	const char *path;               /* the config file; NULL: none, as if it were {} */
	const char *text;               /* what is in it, `path` being but its name; NULL: it is read */
	const char *const *directories; /* where else included files are looked for; NULL-terminated,
	                                   may be NULL */
	const char *const *overlays;    /* files laid over it, in order, such as a policy's */
	size_t overlay_count;
	const char *const *sets; /* "path=value", in order */
	size_t set_count;
	weir_document_said said; /* count 0: none */
} weir_document_options;

/*
 * Loads a document.
 *
 * A file's "include" names one file or a list of them, relative to the including file, else to one
 * of `directories`. Included files come first, in order; then the including file's own keys.
 * Objects merge deeply, everything else replaces. Then come the overlays, likewise with what they
 * include, and then the overrides, `said` before `sets`:
 * the path is "a.b", "a[0].b" or a."b.c".d; the value is JSON if it is that, else a string. Strings
 * in the document and the document itself live in `arena`. *document is to be destroyed before
 * `arena`; NULL after an error.
 *
 * Errors: what weir_json_load refuses; a repeated key; an include that is missing, in a cycle, more
 * than 16 deep or the 257th; an override without "=" or with a path that leads nowhere.
 */
WEIR_API weir_status weir_document_load(const weir_document_options *options, weir_arena *arena,
                                        weir_document **document, weir_error *error);
WEIR_API void weir_document_destroy(weir_document *document);

/* The merged tree, an object without "include". */
WEIR_API const cJSON *weir_document_root(const weir_document *document);

/* For weir_keys_read of the root or below: errors and relative file names follow the file, or
 * "--set", that said the value. It refers to `document`. */
WEIR_API weir_keys_reader weir_document_reader(const weir_document *document);

WEIR_END_C

#endif

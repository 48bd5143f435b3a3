/* What the key tables of the workload have in common. Not part of the public interface. */
#ifndef WEIR_WORKLOAD_WORKLOAD_KEYS_H
#define WEIR_WORKLOAD_WORKLOAD_KEYS_H

#include "base/keys.h"

/* Refuses a key `format` of the object at `path` that is neither "auto" nor a trace format. */
weir_status workload_check_format(weir_keys_reader *reader, const char *path, const char *format,
                                  weir_error *error);

#endif

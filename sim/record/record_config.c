#include "record/record_config.h"

#include "record/record.h"

static const weir_key record_keys[] = {
    {.name = "deflate",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_record_config, deflate),
     .default_text = "0",
     .minimum = 0,
     .maximum = 9,
     .doc = "Compression of the columns (shuffle and deflate); 0 for none, which is several times "
            "faster."},
    {.name = "flush_interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_record_config, flush_interval),
     .default_text = "5",
     .minimum = 0,
     .maximum = 3600,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s of wall time",
     .doc = "At most this much work is lost when the program is killed."},
    {.name = "live",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_record_config, live),
     .default_text = "true",
     .doc =
         "The file can be read while the run goes, and a kill leaves what 'weir recover' makes a "
         "file of. Without that a short run is faster."},
    {.name = "block_rows",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_record_config, block_rows),
     .default_text = "4096",
     .minimum = 1,
     .maximum = WEIR_RECORD_BLOCK_ROWS,
     .doc =
         "Rows that a column's chunk holds. A column has at least one chunk: with fewer rows the "
         "file of a short run is small, and that of a long one is slower."},
    {.name = "iterations",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_record_config, iterations),
     .default_text = "false",
     .doc = "Also record every iteration of every instance and every KV transfer, for 'weir "
            "trace-events'."},
};

const weir_key_table weir_record_keys = {
    .name = "record",
    .doc = "What is written to the run's file.",
    .size = sizeof(weir_record_config),
    .keys = record_keys,
    .key_count = sizeof record_keys / sizeof record_keys[0],
};

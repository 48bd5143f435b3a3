/* weir trace generate: makes a trace from a config or from a file that describes one. */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "cli/command_trace.h"
#include "cli/config_arguments.h"
#include "workload/trace_format.h"
#include "workload/workload_config.h"

typedef struct generation {
	cli_config_arguments arguments;
	const char *output, *to;
	double duration; /* 0: as the config says */
	int64_t count;   /* 0: as the config says */
	int64_t seed;    /* -1: as the config says */
} generation;

/* Whether a file is one for `workload.like`, and not a config. */
static weir_status is_like(const char *path, bool *like, weir_error *error)
{
	cJSON *json = NULL;
	weir_status status = weir_json_load(path, &json, error);
	*like = cJSON_HasObjectItem(json, "arrivals") && cJSON_HasObjectItem(json, "sizes");
	cJSON_Delete(json);
	return status;
}

/* The config's own seed where it has one, as a run would use it. */
static uint64_t seed_of(const generation *g, const cJSON *root)
{
	const cJSON *seed = cJSON_GetObjectItemCaseSensitive(root, "seed");
	if (g->seed >= 0) {
		return (uint64_t)g->seed;
	}
	return cJSON_IsNumber(seed) && seed->valuedouble >= 0 ? (uint64_t)seed->valuedouble : 1;
}

static weir_status open_workload(const generation *g, weir_arena *arena, weir_source **source,
                                 weir_error *error)
{
	weir_document *document = NULL;
	const weir_document_options options = {.path = g->arguments.path,
	                                       .directories = cli_config_directories,
	                                       .sets = (const char *const *)g->arguments.sets,
	                                       .set_count = g->arguments.count};
	weir_status status = weir_document_load(&options, arena, &document, error);
	if (status != WEIR_OK) {
		return status;
	}
	const cJSON *root = weir_document_root(document);
	weir_keys_reader reader = weir_document_reader(document);
	weir_workload_config config = {.trace = weir_trace_config_default()};
	status = weir_keys_read(&reader, &weir_generation_keys,
	                        cJSON_GetObjectItemCaseSensitive(root, "workload"), "workload",
	                        &config.generation, error);
	if (status == WEIR_OK) {
		config.generation.kind = WEIR_WORKLOAD_GENERATED;
		if (g->duration > 0 || g->count > 0) {
			config.generation.duration = g->duration;
			config.generation.count = g->count;
		}
		weir_error found = {0};
		status = weir_workload_open(&config, seed_of(g, root), source, &found);
		if (status == WEIR_ERROR_INPUT && strcmp(found.where, "workload") == 0) {
			weir_keys_fail(&reader, found.where, error, "%s", found.message);
		} else if (status != WEIR_OK) {
			*error = found;
		}
	}
	weir_document_destroy(document);
	return status;
}

static weir_status generate(generation *g, weir_error *error)
{
	bool like = false;
	weir_status status = is_like(g->arguments.path, &like, error);
	if (status == WEIR_OK && like) {
		/* Ahead of the overrides, which then apply to both kinds of files alike. */
		status = cli_config_set(&g->arguments, error, "workload.like=%s", g->arguments.path);
		for (size_t i = g->arguments.count - 1; status == WEIR_OK && i > 0; i--) {
			char *set = g->arguments.sets[i];
			g->arguments.sets[i] = g->arguments.sets[i - 1];
			g->arguments.sets[i - 1] = set;
		}
		g->arguments.path = NULL;
	}
	weir_arena *arena = weir_arena_create();
	if (status == WEIR_OK && arena == NULL) {
		status = weir_error_set(error, WEIR_ERROR_MEMORY, NULL, "no memory for the config");
	}
	weir_source *source = NULL;
	if (status == WEIR_OK) {
		status = open_workload(g, arena, &source, error);
	}
	if (status == WEIR_OK) {
		status = trace_write_all(source, g->output, g->to, error);
	}
	weir_source_destroy(source);
	weir_arena_destroy(arena);
	return status;
}

enum { TO = 256, SEED, DURATION, COUNT, SET };

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"to", required_argument, NULL, TO},
    {"seed", required_argument, NULL, SEED},
    {"duration", required_argument, NULL, DURATION},
    {"count", required_argument, NULL, COUNT},
    {"set", required_argument, NULL, SET},
    {0},
};

/* Takes one option; -1 when it was right, else an exit status. */
static int take_option(const weir_command *command, int option, char **argv, generation *g)
{
	bool right = true;
	weir_error error = {0};
	switch (option) {
	case 'o':
		g->output = optarg;
		break;
	case TO:
		g->to = optarg;
		break;
	case SEED:
		right = trace_option_integer(command, "seed", optarg, 0, &g->seed);
		break;
	case DURATION:
		right = trace_option_number(command, "duration", optarg, 1e-9, 1e15, &g->duration);
		break;
	case COUNT:
		right = trace_option_integer(command, "count", optarg, 1, &g->count);
		break;
	case SET:
		if (cli_config_set(&g->arguments, &error, "%s", optarg) != WEIR_OK) {
			return cli_fail(&error);
		}
		break;
	default:
		return trace_option_error(command, option, argv);
	}
	return right ? -1 : 2;
}

static int run(const weir_command *command, int argc, char **argv)
{
	generation g = {.to = "splitwise", .seed = -1};
	int result = -1;
	opterr = 0;
	for (int option;
	     result < 0 && (option = getopt_long(argc, argv, ":o:", long_options, NULL)) != -1;) {
		result = take_option(command, option, argv, &g);
	}
	if (result < 0 && argc - optind != 1) {
		result =
		    cli_usage_error(command, "one config or LIKE file is needed, not %d", argc - optind);
	} else if (result < 0 && g.output == NULL) {
		result = cli_usage_error(command, "-o OUT is missing");
	} else if (result < 0 && weir_trace_format_find(g.to) == NULL) {
		char names[256];
		result = cli_usage_error(command, "--to is '%s'; expected one of %s", g.to,
		                         weir_trace_format_names(names, sizeof names));
	}
	if (result < 0) {
		weir_error error = {0};
		g.arguments.path = argv[optind];
		result = generate(&g, &error) == WEIR_OK ? 0 : cli_fail(&error);
	}
	cli_config_release(&g.arguments);
	return result;
}

const weir_command command_trace_generate = {
    .name = "trace generate",
    .summary = "make a trace from a config or a file that describes one",
    .help =
        "usage: weir trace generate CONFIG|LIKE -o OUT [OPTIONS]\n"
        "\n"
        "Writes the requests that a run of CONFIG would generate, or those of a file LIKE that\n"
        "'weir trace fit' made. 'weir config --explain workload' tells what the section workload\n"
        "may say. The same seed gives the same trace.\n"
        "\n"
        "options:\n"
        "  -o, --output OUT   the trace to write; '-' is standard output, .gz is packed\n"
        "  --to FORMAT        splitwise, azure, burstgpt or mooncake (splitwise)\n"
        "  --seed N           seed of the random streams (that of CONFIG, or 1)\n"
        "  --duration T       arrivals before T s\n"
        "  --count N          N requests at most\n"
        "  --set PATH=VALUE   change a key, such as workload.rate_scale=2\n"
        "\n"
        "examples:\n"
        "  weir trace generate traces/azure-conv-like.json -o conv.csv --seed 3\n"
        "  weir trace generate traces/azure-code-like.json -o - --count 1000 --to mooncake\n"
        "  weir trace generate traces/azure-conv-like.json -o day.csv --duration 86400 \\\n"
        "    --set 'workload.arrivals={\"kind\":\"diurnal\",\"mean\":5,\"period\":86400}'\n",
    .run = run,
};

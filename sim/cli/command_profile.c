/* weir profile: builds profiles of iteration times and shows what one holds. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "model/profile.h"

static void show(const weir_profile *profile)
{
	printf("source   %s\nlicence  %s\n\n", profile->source, profile->licence);
	printf("%-14s %-16s %3s  %12s  %12s  %12s  %11s\n", "model", "gpu", "tp", "batch tokens",
	       "prompt, s", "token, s", "power share");
	const weir_profile_curve *curves = profile->curves.items;
	for (size_t i = 0; i < profile->curves.count; i++) {
		const weir_profile_curve *curve = &curves[i];
		const double *tokens = curve->batch_tokens.items;
		const double *prompt = curve->prompt_seconds.items;
		const double *token = curve->token_seconds.items;
		const double *power = curve->power_share.items;
		for (size_t k = 0; k < curve->batch_tokens.count; k++) {
			char share[32] = "-";
			if (k < curve->power_share.count && power[k] > 0.0) {
				snprintf(share, sizeof share, "%.3f", power[k]);
			}
			printf("%-14s %-16s %3lld  %12.0f  %12.6f  %12.6f  %11s\n", curve->target.model,
			       curve->target.gpu, (long long)curve->target.tensor_parallel, tokens[k],
			       prompt[k], token[k], share);
		}
	}
}

static int run_show(const weir_command *command, int argc, char **argv)
{
	if (argc != 2) {
		return cli_usage_error(command, "show takes one profile file");
	}
	weir_error error = {0};
	weir_profile profile;
	weir_arena *arena = weir_arena_create();
	weir_status status = arena != NULL
	                         ? weir_profile_read(argv[1], arena, &profile, &error)
	                         : weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	if (status == WEIR_OK) {
		show(&profile);
	}
	weir_arena_destroy(arena);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

static int build(const char *csv, const char *output, const char *source, const char *licence)
{
	weir_error error = {0};
	weir_profile profile;
	weir_arena *arena = weir_arena_create();
	weir_status status = arena != NULL
	                         ? weir_profile_build(csv, arena, &profile, &error)
	                         : weir_error_set(&error, WEIR_ERROR_MEMORY, NULL, "out of memory");
	if (status == WEIR_OK) {
		profile.source = source != NULL ? source : csv;
		profile.licence = licence;
		status = weir_profile_write(&profile, output, &error);
	}
	if (status == WEIR_OK) {
		printf("%s: %zu curves\n", output, profile.curves.count);
	}
	weir_arena_destroy(arena);
	return status == WEIR_OK ? 0 : cli_fail(&error);
}

static int run_build(const weir_command *command, int argc, char **argv)
{
	static const struct option options[] = {
	    {"output", required_argument, NULL, 'o'},
	    {"source", required_argument, NULL, 's'},
	    {"licence", required_argument, NULL, 'l'},
	    {0},
	};
	const char *output = NULL;
	const char *source = NULL;
	const char *licence = "";
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, "o:", options, NULL)) != -1;) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		case 's':
			source = optarg;
			break;
		case 'l':
			licence = optarg;
			break;
		default:
			return cli_usage_error(command, "unknown option, or one without its value: '%s'",
			                       argv[optind - 1]);
		}
	}
	if (argc - optind != 1) {
		return cli_usage_error(command, "build takes one CSV file");
	}
	if (output == NULL) {
		return cli_usage_error(command, "build needs -o FILE.json");
	}
	return build(argv[optind], output, source, licence);
}

static int run(const weir_command *command, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "build") == 0) {
		return run_build(command, argc - 1, argv + 1);
	}
	if (argc >= 2 && strcmp(argv[1], "show") == 0) {
		return run_show(command, argc - 1, argv + 1);
	}
	return cli_usage_error(command, "expected 'build' or 'show'");
}

const weir_command command_profile = {
    .name = "profile",
    .summary = "build or show a profile of iteration times",
    .help =
        "usage: weir profile build CSV -o FILE.json [--source TEXT] [--licence TEXT]\n"
        "       weir profile show FILE.json\n"
        "\n"
        "build makes the medians that the 'table' execution-time model reads of a CSV of\n"
        "measurements. Its first line names the columns: model, hardware, tensor_parallel,\n"
        "prompt_size, batch_size, prompt_time, token_time (ms) and, if there, average_power\n"
        "(share of the server's TDP; 0: not measured). Other columns are ignored.\n"
        "\n"
        "options of build:\n"
        "  -o, --output FILE.json  the profile to write\n"
        "  --source TEXT           where the measurements come from (default: the CSV's name)\n"
        "  --licence TEXT          their licence\n"
        "\n"
        "example:\n"
        "  weir profile build perf_model.csv -o configs/profiles/splitwise.json --licence MIT\n",
    .run = run,
};

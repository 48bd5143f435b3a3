#include "scaling/scaling_config.h"

#include <math.h>
#include <string.h>

const char *const weir_duration_kinds[] = {"constant", "exponential", "lognormal", "uniform", NULL};

const char *const weir_boot_kinds[] = {"fixed", "provision", "warm_pool", NULL};

/* A length of time that is meant to end: some 30 years. */
#define LONGEST 1e9

/* mean, the default, differs from one duration to the next */
#define DURATION_TABLE(name_, mean_, doc_)                                                         \
	static const weir_key name_##_keys[] = {                                                       \
	    {.name = "kind",                                                                           \
	     .type = WEIR_KEY_CHOICE,                                                                  \
	     .offset = offsetof(weir_duration_config, kind),                                           \
	     .default_text = "\"constant\"",                                                           \
	     .choices = weir_duration_kinds,                                                           \
	     .doc = "Its distribution."},                                                              \
	    {.name = "mean",                                                                           \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(weir_duration_config, mean),                                           \
	     .default_text = mean_,                                                                    \
	     .minimum = 0,                                                                             \
	     .maximum = LONGEST,                                                                       \
	     .unit = "s",                                                                              \
	     .doc = "Its mean."},                                                                      \
	    {.name = "cv",                                                                             \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(weir_duration_config, cv),                                             \
	     .default_text = "0.5",                                                                    \
	     .minimum = 0.01,                                                                          \
	     .maximum = 50,                                                                            \
	     .only_if = "kind=lognormal",                                                              \
	     .doc = "Its coefficient of variation: standard deviation / mean."},                       \
	    {.name = "spread",                                                                         \
	     .type = WEIR_KEY_NUMBER,                                                                  \
	     .offset = offsetof(weir_duration_config, spread),                                         \
	     .default_text = "0.5",                                                                    \
	     .minimum = 0,                                                                             \
	     .maximum = 1,                                                                             \
	     .only_if = "kind=uniform",                                                                \
	     .unit = "share of the mean",                                                              \
	     .doc = "It lies between mean * (1 - spread) and mean * (1 + spread)."},                   \
	};                                                                                             \
	static const weir_key_table name_##_table = {                                                  \
	    .name = #name_,                                                                            \
	    .doc = doc_,                                                                               \
	    .size = sizeof(weir_duration_config),                                                      \
	    .keys = name_##_keys,                                                                      \
	    .key_count = sizeof name_##_keys / sizeof name_##_keys[0],                                 \
	}

DURATION_TABLE(provision, "120", "Time until a new server is there.");
DURATION_TABLE(engine_start, "20", "Time from loaded weights to an instance that serves.");

static const weir_key boot_keys[] = {
    {.name = "kind",
     .type = WEIR_KEY_CHOICE,
     .offset = offsetof(weir_boot_config, kind),
     .default_text = "\"fixed\"",
     .choices = weir_boot_kinds,
     .doc = "fixed: scaling.scale_up_delay; provision: provision + weights / load bandwidth + "
            "engine_start; warm_pool: the same, but a stopped server needs no provision."},
    {.name = "provision",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_boot_config, provision),
     .table = &provision_table,
     .only_if = "kind=provision,warm_pool",
     .doc = "Time until a new server is there (the default is an assumption)."},
    {.name = "engine_start",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_boot_config, engine_start),
     .table = &engine_start_table,
     .only_if = "kind=provision,warm_pool",
     .doc = "Time from loaded weights to an instance that serves (the default is an assumption)."},
    {.name = "load_bandwidth_gb_per_s",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_boot_config, load_bandwidth_gb_per_s),
     .default_text = "2",
     .minimum = 0,
     .maximum = 1e9,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .only_if = "kind=provision,warm_pool",
     .unit = "GB/s (1024^3 bytes)",
     .doc = "Speed at which an instance loads its weights (the default is an assumption)."},
    {.name = "warm_servers",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_boot_config, warm_servers),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1 << 20,
     .only_if = "kind=warm_pool",
     .unit = "servers",
     .doc = "Stopped servers of every SKU in use at the start, and the most that are kept: a "
            "server that is removed, but not one that is lost, goes back while there are fewer. "
            "A stopped server is not paid for."},
};

static const weir_key_table boot_table = {
    .name = "boot",
    .doc = "How long it takes until something new serves.",
    .size = sizeof(weir_boot_config),
    .keys = boot_keys,
    .key_count = sizeof boot_keys / sizeof boot_keys[0],
};

static weir_status read_skus(weir_keys_reader *reader, const weir_key *key, const cJSON *json,
                             const char *path, void *field, weir_error *error)
{
	char got[128];
	if (!cJSON_IsArray(json)) {
		return weir_keys_fail(reader, path, error, "expected %s, got %s", key->forms,
		                      weir_keys_describe(got, sizeof got, json));
	}
	size_t count = (size_t)cJSON_GetArraySize(json);
	const char **names = weir_arena_allocate(reader->arena, count, sizeof *names);
	if (names == NULL && count > 0) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
	}
	size_t made = 0;
	const cJSON *item = NULL;
	cJSON_ArrayForEach(item, json)
	{
		if (!cJSON_IsString(item)) {
			return weir_keys_fail(reader, path, error, "expected the name of a SKU, got %s",
			                      weir_keys_describe(got, sizeof got, item));
		}
		for (size_t i = 0; i < made; i++) {
			if (strcmp(names[i], item->valuestring) == 0) {
				return weir_keys_fail(reader, path, error, "'%s' is there twice", names[i]);
			}
		}
		names[made] = weir_arena_string(reader->arena, item->valuestring);
		if (names[made++] == NULL) {
			return weir_error_set(error, WEIR_ERROR_MEMORY, path, "out of memory");
		}
	}
	*(weir_key_list *)field = (weir_key_list){.count = count, .items = (void *)names};
	return WEIR_OK;
}

static const weir_key scaling_keys[] = {
    {.name = "scale_up_delay",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_config, scale_up_delay),
     .default_text = "10",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "From the start of an instance until it is ACTIVE, with boot.kind fixed."},
    {.name = "drain_check_interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_config, drain_check_interval),
     .default_text = "1",
     .minimum = 1e-3,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "How often a draining instance is looked at; the first time this long after the drain "
            "began."},
    {.name = "drain_timeout",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_config, drain_timeout),
     .default_text = "0",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "What is left on a draining instance after this time is moved elsewhere and begins "
            "again from its prompt; 0: it may take for ever."},
    {.name = "role_flip_delay",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_config, role_flip_delay),
     .default_text = "1",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "From an empty instance that changes pools until it is ACTIVE in the other one."},
    {.name = "cancel_scale_up_first",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_scaling_config, cancel_scale_up_first),
     .default_text = "true",
     .doc = "A pool that shrinks first gives up instances that still boot."},
    {.name = "revive_draining_first",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_scaling_config, revive_draining_first),
     .default_text = "true",
     .doc = "A pool that grows first takes back instances that drain."},
    {.name = "min_instances_per_pool",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_scaling_config, min_instances_per_pool),
     .default_text = "1",
     .minimum = 0,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "ACTIVE instances that a pool keeps: beyond them nothing is drained or flipped."},
    {.name = "max_total_instances",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_scaling_config, max_total_instances),
     .default_text = "100",
     .minimum = 1,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "Instances of the whole cluster, in every state, beyond which none is added."},
    {.name = "skus",
     .type = WEIR_KEY_CUSTOM,
     .offset = offsetof(weir_scaling_config, skus),
     .default_text = "[]",
     .read = read_skus,
     .forms = "a list of names of SKUs",
     .doc = "SKUs that may be added beside those of the start state."},
    {.name = "prompt_token_ratio_min",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_config, prompt_token_ratio_min),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e6,
     .unit = "prompt instances / token instances",
     .doc = "A decision is cut so that the pools' sizes do not fall below it; 0: no bound."},
    {.name = "prompt_token_ratio_max",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_scaling_config, prompt_token_ratio_max),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1e6,
     .unit = "prompt instances / token instances",
     .doc = "A decision is cut so that the pools' sizes do not rise above it; 0: no bound."},
    {.name = "boot",
     .type = WEIR_KEY_OBJECT,
     .offset = offsetof(weir_scaling_config, boot),
     .table = &boot_table,
     .doc = "How long it takes until something new serves."},
};

/* Whether some pools of at least one instance each, within the limits, keep the ratio bounds. */
static bool ratio_can_be_kept(const weir_scaling_config *config)
{
	int64_t least = config->min_instances_per_pool > 1 ? config->min_instances_per_pool : 1;
	for (int64_t token = least; token <= config->max_total_instances - least; token++) {
		double lowest = ceil(config->prompt_token_ratio_min * (double)token);
		double highest = (double)(config->max_total_instances - token);
		if (config->prompt_token_ratio_max > 0) {
			highest = fmin(highest, floor(config->prompt_token_ratio_max * (double)token));
		}
		if (fmax(lowest, (double)least) <= highest) {
			return true;
		}
	}
	return false;
}

static weir_status check_scaling(weir_keys_reader *reader, const char *path, void *object,
                                 weir_error *error)
{
	const weir_scaling_config *config = object;
	double lowest = config->prompt_token_ratio_min;
	double highest = config->prompt_token_ratio_max;
	if (config->min_instances_per_pool > config->max_total_instances) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "min_instances_per_pool"), error,
		                      "%lld; must be at most max_total_instances (%lld)",
		                      (long long)config->min_instances_per_pool,
		                      (long long)config->max_total_instances);
	}
	if (highest > 0 && lowest > highest) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "prompt_token_ratio_min"), error,
		                      "%g; must be at most prompt_token_ratio_max (%g)", lowest, highest);
	}
	if ((lowest > 0 || highest > 0) && !ratio_can_be_kept(config)) {
		return weir_keys_fail(
		    reader,
		    weir_keys_path(reader, path,
		                   lowest > 0 ? "prompt_token_ratio_min" : "prompt_token_ratio_max"),
		    error,
		    "no two pools have such a ratio with min_instances_per_pool %lld and "
		    "max_total_instances %lld",
		    (long long)config->min_instances_per_pool, (long long)config->max_total_instances);
	}
	return WEIR_OK;
}

const weir_key_table weir_scaling_keys = {
    .name = "scaling",
    .doc = "How the cluster grows and shrinks: the ScalingManager.",
    .size = sizeof(weir_scaling_config),
    .keys = scaling_keys,
    .key_count = sizeof scaling_keys / sizeof scaling_keys[0],
    .check = check_scaling,
};

static const weir_key control_keys[] = {
    {.name = "scrape_interval",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_control_config, scrape_interval),
     .default_text = "0",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "Time between two measurements of the cluster; 0: measured whenever a policy looks."},
    {.name = "metric_lag",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_control_config, metric_lag),
     .default_text = "0",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "Time until a measurement can be seen by a policy."},
    {.name = "metric_noise",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_control_config, metric_noise),
     .default_text = "0",
     .minimum = 0,
     .maximum = 10,
     .doc = "Standard deviation of the factor by which every load, queue and rate is measured "
            "wrongly; 0: exact."},
    {.name = "decision_delay",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_control_config, decision_delay),
     .default_text = "0",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc = "Time from a decision until it is applied."},
    {.name = "max_operations",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_control_config, max_operations),
     .default_text = "0",
     .minimum = 0,
     .maximum = 1 << 20,
     .unit = "instances",
     .doc = "Most instances that boot, drain or change pools at a time; a decision is cut to it; "
            "0: no limit."},
};

const weir_key_table weir_control_keys = {
    .name = "control",
    .doc = "How measurements and decisions travel between the cluster and its policies.",
    .size = sizeof(weir_control_config),
    .keys = control_keys,
    .key_count = sizeof control_keys / sizeof control_keys[0],
};

#define MEAN_TIME_KEY(field, doc_)                                                                 \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_faults_config, field),    \
		.default_text = "0", .minimum = 0, .maximum = 1e12, .unit = "s", .doc = doc_               \
	}

#define SHARE_KEY(field, default_, doc_)                                                           \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_faults_config, field),    \
		.default_text = default_, .minimum = 0, .maximum = 1, .doc = doc_                          \
	}

#define FACTOR_KEY(field, default_, doc_)                                                          \
	{                                                                                              \
		.name = #field, .type = WEIR_KEY_NUMBER, .offset = offsetof(weir_faults_config, field),    \
		.default_text = default_, .minimum = 1, .maximum = 1e6, .doc = doc_                        \
	}

static const weir_key faults_keys[] = {
    MEAN_TIME_KEY(instance_mtbf,
                  "Mean time between crashes of one ACTIVE or DRAINING instance; 0: none."),
    MEAN_TIME_KEY(server_mtbf, "Mean time until a server is lost with all it holds; 0: never."),
    MEAN_TIME_KEY(preemption_mtbf, "Mean time until a spot server is taken back; 0: never."),
    {.name = "preemption_notice",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_faults_config, preemption_notice),
     .default_text = "30",
     .minimum = 0,
     .maximum = LONGEST,
     .unit = "s",
     .doc =
         "From the notice of a preemption, at which its instances drain, until the server goes."},
    SHARE_KEY(spot_share, "0", "Share of the servers that are spot servers, by creation."),
    SHARE_KEY(boot_failure, "0", "Probability that a boot fails, which shows at its end."),
    SHARE_KEY(slow_boot, "0", "Probability that a boot takes slow_boot_factor times as long."),
    FACTOR_KEY(slow_boot_factor, "3", "How many times as long a slow boot takes."),
    MEAN_TIME_KEY(stock_out_mtbf,
                  "Mean time between the starts of stock-outs of one SKU; 0: never."),
    {.name = "stock_out_duration",
     .type = WEIR_KEY_NUMBER,
     .offset = offsetof(weir_faults_config, stock_out_duration),
     .default_text = "600",
     .minimum = 0,
     .maximum = LONGEST,
     .flags = WEIR_KEY_ABOVE_MINIMUM,
     .unit = "s",
     .doc = "Mean length of a stock-out; exponential."},
    SHARE_KEY(straggler, "0", "Probability that an instance is slow for its life."),
    FACTOR_KEY(straggler_factor, "1.5",
               "How many times as long the iterations of a straggler "
               "take."),
    {.name = "replace",
     .type = WEIR_KEY_BOOL,
     .offset = offsetof(weir_faults_config, replace),
     .default_text = "true",
     .doc = "An instance that is lost is started anew at once, within the limits."},
    {.name = "max_retries",
     .type = WEIR_KEY_INTEGER,
     .offset = offsetof(weir_faults_config, max_retries),
     .default_text = "3",
     .minimum = 0,
     .maximum = 1 << 20,
     .unit = "retries",
     .doc = "How often a request begins again after its instance was lost; then it has failed."},
};

static weir_status check_faults(weir_keys_reader *reader, const char *path, void *object,
                                weir_error *error)
{
	const weir_faults_config *config = object;
	if (config->preemption_mtbf > 0 && config->spot_share <= 0) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "preemption_mtbf"), error,
		                      "without a spot_share above 0 there is no server to preempt");
	}
	if (config->replace && config->boot_failure >= 1) {
		return weir_keys_fail(reader, weir_keys_path(reader, path, "boot_failure"), error,
		                      "every boot would fail and be started anew for ever; take less than "
		                      "1, or \"replace\": false");
	}
	return WEIR_OK;
}

const weir_key_table weir_faults_keys = {
    .name = "faults",
    .doc = "What goes wrong; every kind is off by default and has a random stream of its own.",
    .size = sizeof(weir_faults_config),
    .keys = faults_keys,
    .key_count = sizeof faults_keys / sizeof faults_keys[0],
    .check = check_faults,
};

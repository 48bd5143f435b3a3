#include "model/execution_time.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "support/test_support.h"

/*
 * A model small enough to count by hand. kv width = 1 * 8/2 = 4.
 * Weights per layer: attention 8 * (8 + 2*4) + 8*8 = 192, network 2 * 8*16 = 256.
 * FLOP per new token: 2 layers * (2*192 + 2*256 + 2*8) = 1824; per new token and token of context:
 * 2 * (4*8 + 5*2) = 84. Bytes: weights 2 * (192 + 256) * 2 = 1792; KV per token 2*2 * 4 * 2 = 32;
 * activations per token 2*8 * 2 = 32.
 */
static const weir_architecture tiny = {
    .name = "tiny",
    .layers = 2,
    .hidden = 8,
    .heads = 2,
    .kv_heads = 1,
    .ffn_hidden = 16,
    .ffn_matrices = 2,
    .experts = 1,
    .experts_active = 1,
    .bytes_per_value = 2,
    .weight_bytes = 1792.0,
    .weight_bytes_per_parameter = 2.0,
};

/* 1,000 FLOP/s, 1,000 byte/s: 500 FLOP/s for prompts, 250 for tokens. */
static const weir_gpu slow = {
    .name = "slow",
    .bf16_tflops = 1e-9,
    .fp8_tflops = 4e-9,
    .memory_tb_per_s = 1e-9,
    .mfu_prefill = 0.5,
    .mfu_decode = 0.25,
};

/* As `slow` with so much arithmetic that memory decides. */
static const weir_gpu wide = {
    .name = "wide",
    .bf16_tflops = 1.0,
    .memory_tb_per_s = 1e-9,
    .mfu_prefill = 0.5,
    .mfu_decode = 0.25,
};

static weir_execution_time *make(const weir_architecture *architecture, const weir_gpu *gpu,
                                 int64_t tensor_parallel, double overhead)
{
	const weir_execution_time_config config = {
	    .kind = 2, .busy_power_share = 0.8, .roofline_overhead_s = overhead};
	const weir_execution_target target = {architecture, gpu, tensor_parallel};
	weir_error error = {0};
	weir_execution_time *model = NULL;
	ck_assert_ok(weir_execution_time_create(&config, &target, &model, &error), &error);
	return model;
}

static double seconds(const weir_architecture *architecture, const weir_gpu *gpu,
                      int64_t tensor_parallel, double overhead, weir_batch batch)
{
	weir_execution_time *model = make(architecture, gpu, tensor_parallel, overhead);
	double result = model->type->time_for(model, &batch, 1);
	weir_execution_time_destroy(model);
	return result;
}

/* `n` new tokens after `seq`: context 0.5 * (n - 1) + seq. */
static weir_batch prompt(int64_t n, int64_t seq)
{
	return (weir_batch){
	    .prompt_tasks = 1,
	    .prompt_tokens = n,
	    .prompt_context = seq,
	    .prompt_attention = (double)n * ((double)seq + (n > 1 ? (double)(n - 1) / 2.0 : 0.0)),
	};
}

static void assert_close(double value, double expected)
{
	ck_assert_double_eq_tol(value, expected, 1e-13 * expected);
}

START_TEST(hand_computed_steps)
{
	/* Prompt of 5 after 3: context 5, 5 * 1824 + 5*5 * 84 = 11220 FLOP at 500 FLOP/s;
	 * 1792 + 5 * 64 + 3 * 32 = 2208 bytes. */
	assert_close(seconds(&tiny, &slow, 1, 0.0, prompt(5, 3)), 22.44);
	assert_close(seconds(&tiny, &wide, 1, 0.0, prompt(5, 3)), 2.208);
	/* A prompt of one token has no half token of context. */
	assert_close(seconds(&tiny, &slow, 1, 0.0, prompt(1, 0)), 3.648);

	/* Two token tasks of together 10 tokens: 2 * 1824 + 10 * 84 = 4488 FLOP at 250 FLOP/s;
	 * 1792 + 2 * 64 + 10 * 32 = 2240 bytes. */
	weir_batch tokens = {.token_tasks = 2, .token_context = 10};
	assert_close(seconds(&tiny, &slow, 1, 0.0, tokens), 17.952);
	assert_close(seconds(&tiny, &wide, 1, 0.0, tokens), 2.24);

	/* Both: times of arithmetic add up, weights are read once: 1792 + 7 * 64 + 13 * 32 = 2656. */
	weir_batch both = prompt(5, 3);
	both.token_tasks = 2;
	both.token_context = 10;
	assert_close(seconds(&tiny, &slow, 1, 0.0, both), 40.392);
	assert_close(seconds(&tiny, &wide, 1, 0.0, both), 2.656);

	/* Tensor parallelism divides all but the overhead. */
	assert_close(seconds(&tiny, &slow, 4, 0.0, both), 10.098);
	assert_close(seconds(&tiny, &wide, 4, 0.25, both), 0.914);
}
END_TEST

START_TEST(weight_size_selects_fp8_and_scales_traffic)
{
	weir_architecture quantised = tiny;
	quantised.weight_bytes_per_parameter = 1.0;
	/* Four times the rate; 896 + 5 * 64 + 3 * 32 = 1312 bytes. */
	assert_close(seconds(&quantised, &slow, 1, 0.0, prompt(5, 3)), 5.61);
	assert_close(seconds(&quantised, &wide, 1, 0.0, prompt(5, 3)), 1.312);
	/* Half a byte is computed in bf16. */
	quantised.weight_bytes_per_parameter = 0.5;
	assert_close(seconds(&quantised, &slow, 1, 0.0, prompt(5, 3)), 22.44);
}
END_TEST

START_TEST(experts_are_read_as_tokens_need_them)
{
	weir_architecture mixture = tiny;
	mixture.experts = 4;
	mixture.experts_active = 2;
	/* FLOP per token: 2 * (2*192 + 2*256*2 + 2*8) = 2848. One token of context 0 reads 2 experts:
	 * 2 * (192 + 2*256) * 2 + 64 = 2880 bytes; two read 4 * (1 - (1/2)^2) = 3:
	 * 2 * (192 + 3*256) * 2 + 128 = 3968. */
	weir_batch one = {.token_tasks = 1};
	weir_batch two = {.token_tasks = 2};
	assert_close(seconds(&mixture, &slow, 1, 0.0, one), 11.392);
	assert_close(seconds(&mixture, &wide, 1, 0.0, one), 2.88);
	assert_close(seconds(&mixture, &wide, 1, 0.0, two), 3.968);
	/* A third matrix: 2 * (192 + 2*384) * 2 + 64. */
	mixture.ffn_matrices = 3;
	assert_close(seconds(&mixture, &wide, 1, 0.0, one), 3.904);
}
END_TEST

static const weir_architecture llama2_70b = {.name = "llama2-70b",
                                             .layers = 80,
                                             .hidden = 8192,
                                             .heads = 64,
                                             .kv_heads = 8,
                                             .ffn_hidden = 28672,
                                             .ffn_matrices = 2,
                                             .experts = 1,
                                             .experts_active = 1,
                                             .bytes_per_value = 2,
                                             .weight_bytes_per_parameter = 2.0};
static const weir_gpu h100 = {.name = "h100-80gb",
                              .bf16_tflops = 989.5,
                              .fp8_tflops = 1979.0,
                              .memory_tb_per_s = 3.35,
                              .mfu_prefill = 0.45,
                              .mfu_decode = 0.3};

/* Of real models, computed apart from this code, term by term, from the published formulas. */
START_TEST(steps_of_real_models)
{
	assert_close(seconds(&llama2_70b, &h100, 8, 0.0, prompt(1500, 0)), 0.04265891271686037);
	weir_batch both = prompt(512, 1024);
	both.token_tasks = 4;
	both.token_context = 2200;
	assert_close(seconds(&llama2_70b, &h100, 8, 0.0, both), 0.014932300312750547);
	weir_batch tokens = {.token_tasks = 32, .token_context = 32000};
	assert_close(seconds(&llama2_70b, &h100, 8, 0.0, tokens), 0.004099227892537314);

	const weir_architecture mixtral = {.name = "mixtral-8x7b",
	                                   .layers = 32,
	                                   .hidden = 4096,
	                                   .heads = 32,
	                                   .kv_heads = 8,
	                                   .ffn_hidden = 14336,
	                                   .ffn_matrices = 2,
	                                   .experts = 8,
	                                   .experts_active = 2,
	                                   .bytes_per_value = 2,
	                                   .weight_bytes_per_parameter = 2.0};
	const weir_gpu a100 = {.name = "a100-80gb",
	                       .bf16_tflops = 312.0,
	                       .memory_tb_per_s = 2.039,
	                       .mfu_prefill = 0.38,
	                       .mfu_decode = 0.18};
	assert_close(seconds(&mixtral, &a100, 4, 0.0, prompt(1500, 0)), 0.05729312226720648);
	weir_batch few = {.token_tasks = 3, .token_context = 3000};
	assert_close(seconds(&mixtral, &a100, 4, 0.0, few), 0.004639669171162334);
}
END_TEST

/* One iteration of token tasks alone on one GPU, straight from the published formulas (dense,
 * bf16). */
static double naive_step(const weir_architecture *a, const weir_gpu *gpu, double tasks,
                         double context)
{
	double layers = (double)a->layers;
	double d = (double)a->hidden;
	double heads = (double)a->heads;
	double d_head = d / heads;
	double d_kv = (double)a->kv_heads * d_head;
	double d_ffn = (double)a->ffn_hidden;
	double value = (double)a->bytes_per_value;
	double gemm = layers * (2 * tasks * (d * d + 2 * d * d_kv) + 2 * tasks * d * d);
	double attention = layers * 4 * heads * context * d_head;
	double vector = layers * (5 * heads * context + 2 * tasks * d);
	double network = layers * 2 * tasks * (2 * d * d_ffn);
	double weights = layers * (d * (d + 2 * d_kv) + d * d + 2 * d * d_ffn) * 2;
	double kv = 2 * layers * d_kv * value * (tasks + context);
	double activations = layers * d * value * tasks;
	double compute =
	    (gemm + attention + vector + network) / (gpu->bf16_tflops * 1e12 * gpu->mfu_decode);
	double memory = (weights + kv + activations) / (gpu->memory_tb_per_s * 1e12);
	return fmax(compute, memory);
}

/* 2,200 FLOP/s for tokens, 1,000 byte/s. One task of context c: 0.829 + 0.0382 c seconds of
 * arithmetic, 1.856 + 0.032 c of memory, which cross at c = 166; two: at 21; three and more: never.
 */
static const weir_gpu crossing = {
    .name = "crossing",
    .bf16_tflops = 8.8e-9,
    .memory_tb_per_s = 1e-9,
    .mfu_prefill = 0.5,
    .mfu_decode = 0.25,
};

static const weir_gpu *const gpus[] = {&slow, &wide, &crossing, &h100};

static const weir_architecture *architecture_on(size_t gpu)
{
	return gpus[gpu] == &h100 ? &llama2_70b : &tiny;
}

static weir_batch draw_batch(gsl_rng *rng, size_t gpu)
{
	unsigned long tasks = gpus[gpu] == &crossing ? 3 : 500;
	unsigned long context = gpus[gpu] == &crossing ? 200 : 2000;
	weir_batch batch = {.token_tasks = 1 + (int64_t)gsl_rng_uniform_int(rng, tasks)};
	batch.token_context = (int64_t)gsl_rng_uniform_int(rng, context) * batch.token_tasks;
	return batch;
}

START_TEST(sums_equal_the_iterations_one_by_one)
{
	enum { LONGEST = 4096 };
	gsl_rng *rng = weir_stream_create(7, "sums", 0);
	for (size_t g = 0; g < sizeof gpus / sizeof gpus[0]; g++) {
		weir_execution_time *model = make(architecture_on(g), gpus[g], 1, 0.125);
		for (int repeat = 0; repeat < 30; repeat++) {
			weir_batch batch = draw_batch(rng, g);
			double tasks = (double)batch.token_tasks;
			double context = (double)batch.token_context;
			double total = 0.0;
			for (int64_t k = 1; k <= LONGEST; k++) {
				total += 0.125 + naive_step(architecture_on(g), gpus[g], tasks, context);
				context += tasks;
				ck_assert_double_eq_tol(model->type->time_for(model, &batch, k), total,
				                        1e-12 * total);
			}
		}
		weir_execution_time_destroy(model);
	}
	gsl_rng_free(rng);
}
END_TEST

START_TEST(iterations_are_the_exact_inverse)
{
	gsl_rng *rng = weir_stream_create(11, "inverse", 0);
	for (int repeat = 0; repeat < 20000; repeat++) {
		size_t g = gsl_rng_uniform_int(rng, 4);
		weir_execution_time *model = make(architecture_on(g), gpus[g], 1, 0.0);
		weir_batch batch = draw_batch(rng, g);
		int64_t k = 1 + (int64_t)gsl_rng_uniform_int(rng, repeat % 2 == 0 ? 50 : 100000);
		double end = model->type->time_for(model, &batch, k);
		double next = model->type->time_for(model, &batch, k + 1);
		double part = end + gsl_rng_uniform(rng) * (next - end);
		ck_assert_double_lt(end, next);
		ck_assert_int_eq(model->type->iterations_in(model, &batch, end), k);
		ck_assert_int_eq(model->type->iterations_in(model, &batch, nextafter(end, 0.0)), k - 1);
		ck_assert_int_eq(model->type->iterations_in(model, &batch, part), part < next ? k : k + 1);
		ck_assert_int_eq(model->type->iterations_in(model, &batch, 0.0), 0);
		weir_execution_time_destroy(model);
	}
	gsl_rng_free(rng);
}
END_TEST

START_TEST(a_gpu_without_figures_is_refused)
{
	const weir_execution_time_config config = {.kind = 2};
	for (int missing = 0; missing < 4; missing++) {
		weir_gpu gpu = slow;
		*(double *[]){&gpu.bf16_tflops, &gpu.memory_tb_per_s, &gpu.mfu_prefill,
		              &gpu.mfu_decode}[missing] = 0.0;
		const weir_execution_target target = {&tiny, &gpu, 1};
		weir_error error = {0};
		weir_execution_time *model = NULL;
		ck_assert_int_eq(weir_execution_time_create(&config, &target, &model, &error),
		                 WEIR_ERROR_INPUT);
		ck_assert_ptr_null(model);
		ck_assert_ptr_nonnull(strstr(error.message, "memory_tb_per_s"));
		ck_assert_ptr_nonnull(strstr(error.message, "slow"));
	}
}
END_TEST

START_TEST(power_is_the_busy_share)
{
	weir_execution_time *model = make(&tiny, &slow, 1, 0.0);
	weir_batch batch = prompt(5, 3);
	ck_assert_double_eq(model->type->power_share(model, &batch), 0.8);
	weir_execution_time_destroy(model);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("execution_roofline");
	TCase *tests = tcase_create("roofline");
	tcase_add_test(tests, hand_computed_steps);
	tcase_add_test(tests, weight_size_selects_fp8_and_scales_traffic);
	tcase_add_test(tests, experts_are_read_as_tokens_need_them);
	tcase_add_test(tests, steps_of_real_models);
	tcase_add_test(tests, sums_equal_the_iterations_one_by_one);
	tcase_add_test(tests, iterations_are_the_exact_inverse);
	tcase_add_test(tests, a_gpu_without_figures_is_refused);
	tcase_add_test(tests, power_is_the_busy_share);
	suite_add_tcase(suite, tests);
	return test_main(suite);
}

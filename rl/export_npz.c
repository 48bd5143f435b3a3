#include "rl/export_npz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "rl/agent_file.h"

enum {
	ZIP_LOCAL = 0x04034b50,
	ZIP_CENTRAL = 0x02014b50,
	ZIP_END = 0x06054b50,
	ZIP_VERSION = 20,
	ZIP_FIRST_DAY = 0x21, /* 1980-01-01 */
	NAME_SIZE = 96
};

/* The members go to `file`, what the directory at its end says of them is kept aside. */
typedef struct zip_file {
	weir_bytes *file;
	weir_bytes directory;
	size_t count;
} zip_file;

/* What both headers of a member say of it, from the version needed to the length of its extras. */
static void add_header(weir_bytes *bytes, const weir_bytes *data, size_t name_length)
{
	uint64_t crc = data->size > 0 ? crc32_z(crc32_z(0, NULL, 0), data->data, data->size) : 0;
	weir_bytes_add_little(bytes, ZIP_VERSION, 2);
	weir_bytes_add_little(bytes, 0, 2); /* flags */
	weir_bytes_add_little(bytes, 0, 2); /* stored */
	weir_bytes_add_little(bytes, 0, 2); /* time */
	weir_bytes_add_little(bytes, ZIP_FIRST_DAY, 2);
	weir_bytes_add_little(bytes, crc, 4);
	weir_bytes_add_little(bytes, data->size, 4);
	weir_bytes_add_little(bytes, data->size, 4);
	weir_bytes_add_little(bytes, name_length, 2);
	weir_bytes_add_little(bytes, 0, 2);
}

static void add_member(zip_file *zip, const char *name, const weir_bytes *data)
{
	size_t start = zip->file->size;
	weir_bytes_add_little(zip->file, ZIP_LOCAL, 4);
	add_header(zip->file, data, strlen(name));
	weir_bytes_add_text(zip->file, name);
	weir_bytes_add(zip->file, data->data, data->size);
	weir_bytes_add_little(&zip->directory, ZIP_CENTRAL, 4);
	weir_bytes_add_little(&zip->directory, ZIP_VERSION, 2);
	add_header(&zip->directory, data, strlen(name));
	weir_bytes_add_little(&zip->directory, 0, 2); /* comment */
	weir_bytes_add_little(&zip->directory, 0, 2); /* disk */
	weir_bytes_add_little(&zip->directory, 0, 2); /* attributes */
	weir_bytes_add_little(&zip->directory, 0, 4);
	weir_bytes_add_little(&zip->directory, start, 4);
	weir_bytes_add_text(&zip->directory, name);
	zip->file->failed = zip->file->failed || data->failed;
	zip->count++;
}

static void end_zip(zip_file *zip)
{
	size_t start = zip->file->size;
	weir_bytes_add(zip->file, zip->directory.data, zip->directory.size);
	weir_bytes_add_little(zip->file, ZIP_END, 4);
	weir_bytes_add_little(zip->file, 0, 4); /* disks */
	weir_bytes_add_little(zip->file, zip->count, 2);
	weir_bytes_add_little(zip->file, zip->count, 2);
	weir_bytes_add_little(zip->file, zip->directory.size, 4);
	weir_bytes_add_little(zip->file, start, 4);
	weir_bytes_add_little(zip->file, 0, 2); /* comment */
	zip->file->failed = zip->file->failed || zip->directory.failed;
	free(zip->directory.data);
}

/* An array of 4- or 8-byte numbers; `type` as NumPy writes it: "<f4". */
static void add_array(zip_file *zip, const char *name, const char *type, size_t rank,
                      const size_t *extents, const void *values)
{
	enum { ALIGNMENT = 64, PRELUDE = 10, HEADER_SIZE = 256 };
	char shape[64] = "";
	size_t count = 1;
	size_t used = 0;
	for (size_t i = 0; i < rank; i++) {
		/* A tuple of one has its comma, too. */
		used += (size_t)snprintf(shape + used, sizeof shape - used,
		                         i + 1 < rank || rank == 1 ? "%zu, " : "%zu", extents[i]);
		count *= extents[i];
	}
	char header[HEADER_SIZE];
	int length = snprintf(header, sizeof header,
	                      "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
	weir_bytes data = {.data = NULL};
	size_t padded = (PRELUDE + (size_t)length + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
	weir_bytes_add(&data, "\x93NUMPY\x01\x00", 8);
	weir_bytes_add_little(&data, padded - PRELUDE, 2);
	weir_bytes_add_text(&data, header);
	while (data.size + 1 < padded && !data.failed) {
		weir_bytes_add_text(&data, " ");
	}
	weir_bytes_add_text(&data, "\n");
	weir_bytes_add(&data, values, count * (size_t)(type[2] - '0'));
	char member[NAME_SIZE];
	snprintf(member, sizeof member, "%s.npy", name);
	add_member(zip, member, &data);
	free(data.data);
}

/* A weight is turned from [in][out] to [out][in]. */
static void add_weight(zip_file *zip, const weir_tensor *tensor, const float *values)
{
	float *turned = weir_allocate(tensor->rows * tensor->cols, sizeof *turned);
	if (turned == NULL) {
		zip->file->failed = true;
		return;
	}
	for (size_t in = 0; in < tensor->rows; in++) {
		for (size_t out = 0; out < tensor->cols; out++) {
			turned[out * tensor->rows + in] = values[in * tensor->cols + out];
		}
	}
	const size_t extents[2] = {tensor->cols, tensor->rows};
	add_array(zip, tensor->name, "<f4", 2, extents, turned);
	free(turned);
}

static void add_network(zip_file *zip, const weir_actor_critic *network)
{
	size_t count = 0;
	const weir_tensor *tensors = weir_actor_critic_tensors(network, &count);
	const float *parameters = weir_actor_critic_parameters_const(network);
	for (size_t i = 0; i < count; i++) {
		if (weir_agent_tensor_is_weight(&tensors[i])) {
			add_weight(zip, &tensors[i], parameters + tensors[i].offset);
		} else {
			add_array(zip, tensors[i].name, "<f4", 1, &tensors[i].cols,
			          parameters + tensors[i].offset);
		}
	}
}

static void add_normaliser(zip_file *zip, const weir_normaliser *normaliser)
{
	const weir_normaliser_config *config = &normaliser->config;
	const struct {
		const char *name;
		size_t rank;
		const double *values;
	} arrays[] = {{"obs_rms.mean", 1, normaliser->mean},
	              {"obs_rms.var", 1, normaliser->variance},
	              {"obs_rms.count", 0, &normaliser->count},
	              {"ret_rms.mean", 0, &normaliser->return_mean},
	              {"ret_rms.var", 0, &normaliser->return_variance},
	              {"ret_rms.count", 0, &normaliser->return_count},
	              {"clip_obs", 0, &config->clip_observation},
	              {"clip_reward", 0, &config->clip_reward},
	              {"gamma", 0, &config->gamma},
	              {"epsilon", 0, &config->epsilon}};
	for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
		add_array(zip, arrays[i].name, "<f8", arrays[i].rank, &normaliser->size, arrays[i].values);
	}
}

static void add_action_space(zip_file *zip, const weir_space *space)
{
	float *bounds = weir_allocate(2 * space->size, sizeof *bounds);
	int64_t *choices = weir_allocate(space->size, sizeof *choices);
	if (bounds == NULL || choices == NULL) {
		zip->file->failed = true;
	} else {
		for (size_t i = 0; i < space->size; i++) {
			bounds[i] = space->dimensions[i].low;
			bounds[space->size + i] = space->dimensions[i].high;
			choices[i] = space->dimensions[i].choices;
		}
		if (space->kind == WEIR_SPACE_BOX) {
			add_array(zip, "action_space.low", "<f4", 1, &space->size, bounds);
			add_array(zip, "action_space.high", "<f4", 1, &space->size, bounds + space->size);
		} else {
			add_array(zip, "action_space.nvec", "<i8", 1, &space->size, choices);
		}
	}
	free(bounds);
	free(choices);
}

weir_status weir_export_npz(const weir_agent *agent, weir_bytes *file, weir_error *error)
{
	zip_file zip = {.file = file};
	add_network(&zip, agent->network);
	if (agent->normaliser != NULL) {
		add_normaliser(&zip, agent->normaliser);
	}
	add_action_space(&zip, &agent->action);
	end_zip(&zip);
	return file->failed ? weir_agent_no_memory(error) : WEIR_OK;
}

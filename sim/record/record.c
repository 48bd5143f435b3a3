#include "record/record.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "record/hdf5_support.h"
#include "record/record_internal.h"

static double monotonic_seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

weir_recorder_options weir_recorder_options_default(void)
{
	return (weir_recorder_options){.path = NULL,
	                               .deflate = 0,
	                               .flush_interval = 5.0,
	                               .live = true,
	                               .block_rows = WEIR_RECORD_BLOCK_ROWS};
}

static weir_status check_options(const weir_recorder_options *options, weir_error *error)
{
	const char *path = options->path;
	weir_status status = weir_file_check_output(path, error);
	if (status != WEIR_OK) {
		return status;
	}
	if (options->deflate < 0 || options->deflate > 9) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "deflate level %d is not one of 0 (none) to 9", options->deflate);
	}
	if (!(options->flush_interval >= 0.0)) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "flush interval %g s is not 0 or more seconds",
		                      options->flush_interval);
	}
	if (options->block_rows < 1 || options->block_rows > WEIR_RECORD_BLOCK_ROWS) {
		return weir_error_set(error, WEIR_ERROR_INPUT, path,
		                      "chunks of %zu rows are not of 1 to %d", options->block_rows,
		                      WEIR_RECORD_BLOCK_ROWS);
	}
	return WEIR_OK;
}

weir_status weir_recorder_check(weir_recorder *recorder, bool done, const char *what,
                                weir_error *error)
{
	if (recorder->failure.status == WEIR_OK && (!done || recorder->io.error != 0)) {
		weir_hdf5_fail(&recorder->failure, recorder->part_path, &recorder->io, "%s", what);
	}
	if (recorder->failure.status != WEIR_OK && error != NULL) {
		*error = recorder->failure;
	}
	return recorder->failure.status;
}

/* From here on the file can be recovered whenever this process is killed. */
static bool begin_journal(weir_recorder *recorder, weir_journal_kind kind)
{
	struct stat info;
	int failure = stat(recorder->part_path, &info) != 0 ? errno : 0;
	if (failure == 0) {
		failure = weir_journal_create(&recorder->journal, kind, (uint64_t)info.st_size,
		                              recorder->journal_path);
	}
	if (failure != 0) {
		weir_error_set(&recorder->failure, WEIR_ERROR_IO, recorder->journal_path,
		               "cannot create: %s", strerror(failure));
		return false;
	}
	recorder->io.journal = &recorder->journal;
	return true;
}

static void end_journal(weir_recorder *recorder)
{
	if (recorder->io.journal != NULL && weir_file_is(recorder->part_path, &recorder->identity)) {
		unlink(recorder->journal_path);
	}
	recorder->io.journal = NULL;
	weir_journal_close(&recorder->journal);
}

static void free_recorder(weir_recorder *recorder)
{
	for (size_t i = 0; i < recorder->table_count; i++) {
		weir_table_close(&recorder->tables[i]);
		free(recorder->tables[i].rows);
	}
	free(recorder->tables);
	weir_chunk_buffers_destroy(&recorder->buffers);
	if (recorder->file >= 0) {
		H5Fclose(recorder->file);
	}
	end_journal(recorder);
	free(recorder->journal_path);
	free(recorder->path);
	free(recorder->part_path);
	free(recorder);
}

static hid_t create_file(weir_recorder *recorder)
{
	hid_t access_list = weir_hdf5_access_list(&recorder->io);
	hid_t creation_list = weir_hdf5_creation_list(H5P_FILE_CREATE);
	hid_t file = H5Fcreate(recorder->part_path, H5F_ACC_EXCL, creation_list, access_list);
	weir_hdf5_release(creation_list);
	weir_hdf5_release(access_list);
	return file;
}

static bool write_root(weir_recorder *recorder)
{
	hid_t file = recorder->file;
	return weir_hdf5_set_text(file, WEIR_ATTRIBUTE_FORMAT, WEIR_FORMAT_TEXT, 0) &&
	       weir_hdf5_set_integer(file, WEIR_ATTRIBUTE_VERSION, WEIR_RECORD_SCHEMA_VERSION) &&
	       weir_hdf5_set_text(file, WEIR_ATTRIBUTE_STATUS, "running", WEIR_STATUS_SIZE) &&
	       weir_hdf5_set_text(file, WEIR_ATTRIBUTE_REASON, "", WEIR_REASON_SIZE);
}

static weir_status open_part(weir_recorder *recorder, weir_error *error)
{
	weir_status status = weir_file_clear_part(recorder->part_path, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	recorder->file = create_file(recorder);
	bool created = recorder->file >= 0 && write_root(recorder);
	status = weir_recorder_check(recorder, created, "create the file", error);
	weir_hdf5_leave(&guard);
	if (recorder->file >= 0) {
		weir_file_identify(recorder->part_path, &recorder->identity);
	}
	return status;
}

weir_status weir_recorder_create(const weir_recorder_options *options, weir_recorder **recorder,
                                 weir_error *error)
{
	*recorder = NULL;
	weir_status status = check_options(options, error);
	if (status != WEIR_OK) {
		return status;
	}
	weir_recorder *made = weir_allocate(1, sizeof *made);
	if (made == NULL) {
		return weir_error_set(error, WEIR_ERROR_MEMORY, options->path, "out of memory");
	}
	made->file = H5I_INVALID_HID;
	made->journal.descriptor = -1;
	made->flush_interval = options->flush_interval;
	made->block_rows = options->block_rows;
	made->live = options->live;
	made->path = strdup(options->path);
	made->part_path = weir_file_with_suffix(options->path, ".part");
	made->journal_path = made->part_path != NULL
	                         ? weir_file_with_suffix(made->part_path, WEIR_JOURNAL_SUFFIX)
	                         : NULL;
	if (made->path == NULL || made->part_path == NULL || made->journal_path == NULL ||
	    !weir_chunk_buffers_create(&made->buffers, options->deflate)) {
		free_recorder(made);
		return weir_error_set(error, WEIR_ERROR_MEMORY, options->path, "out of memory");
	}
	status = open_part(made, error);
	if (status != WEIR_OK) {
		weir_recorder_abort(made, "", made->file < 0);
		return status;
	}
	*recorder = made;
	return WEIR_OK;
}

weir_status weir_recorder_add_table(weir_recorder *recorder, const weir_table_schema *schema,
                                    int *table, weir_error *error)
{
	assert(recorder->state == RECORDER_DEFINING);
	assert(schema->column_count > 0 && schema->row_size > 0);
	if (recorder->failure.status != WEIR_OK) {
		return weir_recorder_check(recorder, false, "", error);
	}
	void *tables = recorder->tables;
	unsigned char *rows = weir_allocate(recorder->block_rows, schema->row_size);
	bool grown = weir_reserve(&tables, &recorder->table_capacity, recorder->table_count + 1,
	                          sizeof *recorder->tables);
	recorder->tables = tables;
	if (rows == NULL || !grown) {
		free(rows);
		return weir_error_set(error, WEIR_ERROR_MEMORY, recorder->path, "out of memory");
	}
	*table = (int)recorder->table_count;
	recorder->tables[recorder->table_count++] =
	    (weir_table_writer){.schema = schema, .chunk_rows = recorder->block_rows, .rows = rows};
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool made = weir_table_create(&recorder->tables[*table], recorder->file,
	                              recorder->buffers.deflate, !recorder->live);
	if (made && recorder->live) {
		hid_t group = H5Gopen2(recorder->file, schema->name, H5P_DEFAULT);
		made = group >= 0 && weir_hdf5_set_integer(group, WEIR_ATTRIBUTE_ROWS, 0);
		weir_hdf5_release(group);
	}
	weir_status status = weir_recorder_check(recorder, made, "create a table", error);
	weir_hdf5_leave(&guard);
	return status;
}

static hid_t open_file(weir_recorder *recorder, unsigned flags)
{
	if (!weir_file_is(recorder->part_path, &recorder->identity)) {
		weir_error_set(&recorder->failure, WEIR_ERROR_IO, recorder->part_path,
		               "was removed or replaced, by another run perhaps");
		return H5I_INVALID_HID;
	}
	hid_t access_list = weir_hdf5_access_list(&recorder->io);
	hid_t file = H5Fopen(recorder->part_path, flags, access_list);
	weir_hdf5_release(access_list);
	return file;
}

static bool close_file(weir_recorder *recorder)
{
	hid_t file = recorder->file;
	recorder->file = H5I_INVALID_HID;
	return H5Fclose(file) >= 0;
}

/* After the run: opens for writing, and removes the marks that recovery would need. */
static bool begin_finishing(weir_recorder *recorder)
{
	bool opened = close_file(recorder);
	recorder->io.reserve = true;
	/* Not over another run's: open_file tells of that. */
	if (weir_file_is(recorder->part_path, &recorder->identity)) {
		opened = begin_journal(recorder, WEIR_JOURNAL_UNDO) && opened;
	}
	recorder->file = open_file(recorder, H5F_ACC_RDWR);
	recorder->reader.file = recorder->file;
	recorder->state = RECORDER_FINISHING;
	opened = opened && recorder->file >= 0;
	for (size_t i = 0; opened && i < recorder->table_count; i++) {
		opened = H5Adelete_by_name(recorder->file, recorder->tables[i].schema->name,
		                           WEIR_ATTRIBUTE_ROWS, H5P_DEFAULT) >= 0;
	}
	return opened;
}

bool weir_recorder_make_writable(weir_recorder *recorder)
{
	assert(recorder->state != RECORDER_RECORDING);
	return recorder->failure.status == WEIR_OK &&
	       (recorder->state != RECORDER_STOPPED || begin_finishing(recorder));
}

weir_status weir_recorder_start(weir_recorder *recorder, weir_error *error)
{
	assert(recorder->state == RECORDER_DEFINING);
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool started = recorder->failure.status == WEIR_OK &&
	               (!recorder->live || (H5Fstart_swmr_write(recorder->file) >= 0 &&
	                                    begin_journal(recorder, WEIR_JOURNAL_REDO)));
	for (size_t i = 0; started && i < recorder->table_count; i++) {
		started = !recorder->live || weir_table_open(&recorder->tables[i], recorder->file);
	}
	recorder->state = RECORDER_RECORDING;
	recorder->last_flush = monotonic_seconds();
	weir_status status = weir_recorder_check(recorder, started, "begin recording", error);
	weir_hdf5_leave(&guard);
	return status;
}

/* Writes what the table's block holds; begins a new block when it is full. */
static weir_status write_block(weir_recorder *recorder, weir_table_writer *table, bool compress,
                               weir_error *error)
{
	const char *column = "";
	bool written = weir_table_write_block(table, &recorder->buffers, table->rows, table->used,
	                                      compress, &column);
	table->written = table->used;
	if (table->used == table->chunk_rows) {
		table->first += table->used;
		table->used = 0;
		table->written = 0;
	}
	char what[WEIR_NAME_SIZE];
	snprintf(what, sizeof what, "write table %s%s%s", table->schema->name,
	         column[0] != '\0' ? ", column " : "", column);
	return weir_recorder_check(recorder, written, what, error);
}

static weir_status write_full_block(weir_recorder *recorder, weir_table_writer *table,
                                    weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	weir_status status = write_block(recorder, table, true, error);
	weir_hdf5_leave(&guard);
	return status;
}

weir_status weir_recorder_append(weir_recorder *recorder, int table, const void *row,
                                 weir_error *error)
{
	assert(recorder->state == RECORDER_RECORDING);
	assert(table >= 0 && (size_t)table < recorder->table_count);
	weir_table_writer *writer = &recorder->tables[table];
	if (recorder->failure.status != WEIR_OK) {
		return weir_recorder_check(recorder, false, "", error);
	}
	size_t row_size = writer->schema->row_size;
	memcpy(writer->rows + writer->used * row_size, row, row_size);
	writer->used++;
	return writer->used < writer->chunk_rows ? WEIR_OK : write_full_block(recorder, writer, error);
}

/* Writes unfinished blocks that have grown, or all of them to compress them. */
static weir_status write_unfinished(weir_recorder *recorder, bool compress, weir_error *error)
{
	weir_status status = weir_recorder_check(recorder, true, "", error);
	for (size_t i = 0; status == WEIR_OK && i < recorder->table_count; i++) {
		weir_table_writer *table = &recorder->tables[i];
		if (table->used > table->written || (compress && table->used > 0)) {
			status = write_block(recorder, table, compress, error);
		}
	}
	return status;
}

/* First the columns, then the marks that say how many rows are in all of them: a kill in between
 * leaves the older mark. */
static weir_status flush(weir_recorder *recorder, weir_error *error)
{
	weir_status status = write_unfinished(recorder, false, error);
	if (status != WEIR_OK) {
		return status;
	}
	bool flushed = H5Fflush(recorder->file, H5F_SCOPE_LOCAL) >= 0;
	for (size_t i = 0; flushed && i < recorder->table_count; i++) {
		hid_t group = H5Gopen2(recorder->file, recorder->tables[i].schema->name, H5P_DEFAULT);
		flushed = group >= 0 &&
		          weir_hdf5_overwrite_integer(group, WEIR_ATTRIBUTE_ROWS,
		                                      (int64_t)weir_recorder_rows(recorder, (int)i));
		weir_hdf5_release(group);
	}
	flushed = flushed && H5Fflush(recorder->file, H5F_SCOPE_LOCAL) >= 0;
	return weir_recorder_check(recorder, flushed, "flush", error);
}

weir_status weir_recorder_tick(weir_recorder *recorder, weir_error *error)
{
	assert(recorder->state == RECORDER_RECORDING);
	if (recorder->failure.status != WEIR_OK) {
		return weir_recorder_check(recorder, false, "", error);
	}
	if (!recorder->live || monotonic_seconds() - recorder->last_flush < recorder->flush_interval) {
		return WEIR_OK;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	weir_status status = flush(recorder, error);
	weir_hdf5_leave(&guard);
	recorder->last_flush = monotonic_seconds();
	return status;
}

weir_status weir_recorder_stop(weir_recorder *recorder, weir_error *error)
{
	assert(recorder->state == RECORDER_RECORDING);
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	weir_status status = write_unfinished(recorder, recorder->buffers.deflate > 0, error);
	if (status == WEIR_OK && recorder->live) {
		status = flush(recorder, error);
	}
	for (size_t i = 0; i < recorder->table_count; i++) {
		weir_table_close(&recorder->tables[i]);
	}
	if (status == WEIR_OK && !recorder->live) {
		recorder->io.reserve = true;
		recorder->state = RECORDER_FINISHING;
		recorder->reader =
		    (struct weir_reader){.file = recorder->file, .path = recorder->part_path};
	} else if (status == WEIR_OK) {
		bool closed = close_file(recorder);
		end_journal(recorder);
		recorder->file = open_file(recorder, H5F_ACC_RDONLY);
		recorder->state = RECORDER_STOPPED;
		recorder->reader =
		    (struct weir_reader){.file = recorder->file, .path = recorder->part_path};
		status = weir_recorder_check(recorder, closed && recorder->file >= 0,
		                             "close and read again", error);
	}
	weir_hdf5_leave(&guard);
	return status;
}

uint64_t weir_recorder_rows(const weir_recorder *recorder, int table)
{
	assert(table >= 0 && (size_t)table < recorder->table_count);
	return recorder->tables[table].first + recorder->tables[table].used;
}

static weir_status write_rows(weir_recorder *recorder, weir_table_writer *table,
                              const unsigned char *rows, size_t count, weir_error *error)
{
	bool written = true;
	while (written && table->first < count) {
		size_t left = count - table->first;
		size_t part = left < table->chunk_rows ? left : table->chunk_rows;
		written =
		    weir_table_write_block(table, &recorder->buffers,
		                           rows + table->first * table->schema->row_size, part, true, NULL);
		table->first += part;
	}
	weir_table_close(table);
	return weir_recorder_check(recorder, written, "write a table", error);
}

weir_status weir_recorder_write_table(weir_recorder *recorder, const weir_table_schema *schema,
                                      const void *rows, size_t count, weir_error *error)
{
	assert(recorder->state == RECORDER_STOPPED || recorder->state == RECORDER_FINISHING);
	/* Of a table whose size is known a small one needs no large chunks. */
	weir_table_writer table = {.schema = schema, .chunk_rows = WEIR_RECORD_BLOCK_ROWS};
	if (count < WEIR_RECORD_BLOCK_ROWS) {
		table.chunk_rows = count > 0 ? count : 1;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool made = weir_recorder_make_writable(recorder) &&
	            weir_table_create(&table, recorder->file, recorder->buffers.deflate, true);
	weir_status status = weir_recorder_check(recorder, made, "create a table", error);
	if (status == WEIR_OK) {
		status = write_rows(recorder, &table, rows, count, error);
	}
	weir_hdf5_leave(&guard);
	return status;
}

struct weir_reader *weir_recorder_reader(weir_recorder *recorder)
{
	assert(recorder->state == RECORDER_STOPPED || recorder->state == RECORDER_FINISHING);
	return &recorder->reader;
}

static weir_status complete(weir_recorder *recorder, weir_error *error)
{
	weir_status status = WEIR_OK;
	if (recorder->state == RECORDER_DEFINING) {
		status = weir_recorder_start(recorder, error);
	}
	if (status == WEIR_OK && recorder->state == RECORDER_RECORDING) {
		status = weir_recorder_stop(recorder, error);
	}
	if (status != WEIR_OK) {
		return status;
	}
	bool marked = weir_recorder_make_writable(recorder) &&
	              weir_hdf5_overwrite_text(recorder->file, WEIR_ATTRIBUTE_STATUS, "complete") &&
	              H5Adelete(recorder->file, WEIR_ATTRIBUTE_REASON) >= 0;
	/* Flushed first: a failure is found while the file is still open, to be marked. */
	marked = marked && H5Fflush(recorder->file, H5F_SCOPE_LOCAL) >= 0;
	status = weir_recorder_check(recorder, marked, "finish the file", error);
	if (status == WEIR_OK) {
		status = weir_recorder_check(recorder, close_file(recorder), "close the file", error);
	}
	end_journal(recorder);
	return status == WEIR_OK ? weir_file_finish(recorder->part_path, recorder->path, error)
	                         : status;
}

/* After a failure at the end of the run the file has what it had before: forget what was added. */
static void reopen_unchanged(weir_recorder *recorder)
{
	close_file(recorder);
	recorder->io = (weir_file_state){0};
	hid_t access_list = weir_hdf5_access_list(&recorder->io);
	weir_hdf5_ignore_writer(access_list);
	recorder->file = H5Fopen(recorder->part_path, H5F_ACC_RDWR, access_list);
	weir_hdf5_release(access_list);
}

static void mark_aborted(weir_recorder *recorder, const char *reason)
{
	weir_error ignored;
	if (recorder->state == RECORDER_RECORDING && recorder->failure.status == WEIR_OK) {
		weir_recorder_stop(recorder, &ignored);
	}
	if (recorder->state == RECORDER_STOPPED) {
		weir_recorder_make_writable(recorder);
	}
	if (recorder->file >= 0 && recorder->state == RECORDER_FINISHING && recorder->io.error != 0) {
		reopen_unchanged(recorder);
	}
	if (recorder->file < 0) {
		return;
	}
	end_journal(recorder);
	/* These bytes have their place in the file, even on a full disk. */
	weir_file_state failed = recorder->io;
	recorder->io.error = 0;
	char cut[WEIR_REASON_SIZE];
	snprintf(cut, sizeof cut, "%s", reason);
	weir_hdf5_overwrite_text(recorder->file, WEIR_ATTRIBUTE_STATUS, "aborted");
	weir_hdf5_overwrite_text(recorder->file, WEIR_ATTRIBUTE_REASON, cut);
	hid_t root = H5Gopen2(recorder->file, "/", H5P_DEFAULT);
	H5Oflush(root);
	weir_hdf5_release(root);
	if (failed.error != 0) {
		recorder->io = failed;
	}
}

weir_status weir_recorder_close(weir_recorder *recorder, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	weir_status status = complete(recorder, error);
	if (status != WEIR_OK) {
		mark_aborted(recorder, recorder->failure.message);
	}
	free_recorder(recorder);
	weir_hdf5_leave(&guard);
	return status;
}

void weir_recorder_abort(weir_recorder *recorder, const char *reason, bool keep)
{
	if (recorder == NULL) {
		return;
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	if (keep) {
		mark_aborted(recorder, reason);
	} else if (weir_file_is(recorder->part_path, &recorder->identity)) {
		unlink(recorder->part_path);
	}
	free_recorder(recorder);
	weir_hdf5_leave(&guard);
}

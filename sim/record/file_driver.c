#include "record/file_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/transfer.h"

typedef struct driver_settings {
	weir_file_state *state;
} driver_settings;

typedef struct driver_file {
	H5FD_t base; /* HDF5's part, first */
	weir_file_state *state;
	int descriptor;
	haddr_t end_of_address; /* what HDF5 has allocated */
	haddr_t end_of_file;
} driver_file;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access_list, haddr_t max_address)
{
	(void)max_address;
	const driver_settings *settings = H5Pget_driver_info(access_list);
	if (settings == NULL) {
		return NULL;
	}
	driver_file *file = calloc(1, sizeof *file);
	if (file == NULL) {
		settings->state->error = ENOMEM;
		return NULL;
	}
	int mode = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
	mode |= (flags & H5F_ACC_CREAT) != 0 ? O_CREAT : 0;
	mode |= (flags & H5F_ACC_EXCL) != 0 ? O_EXCL : 0;
	mode |= (flags & H5F_ACC_TRUNC) != 0 ? O_TRUNC : 0;
	file->state = settings->state;
	file->descriptor = open(name, mode | O_CLOEXEC, 0666);
	struct stat info;
	if (file->descriptor < 0 || fstat(file->descriptor, &info) != 0) {
		file->state->error = errno;
		if (file->descriptor >= 0) {
			close(file->descriptor);
		}
		free(file);
		return NULL;
	}
	file->end_of_file = (haddr_t)info.st_size;
	const weir_journal_notes *notes = file->state->notes;
	if (notes != NULL && notes->file_end > file->end_of_file) {
		file->end_of_file = notes->file_end;
	}
	return &file->base;
}

static herr_t driver_close(H5FD_t *base)
{
	driver_file *file = (driver_file *)base;
	/* Network file systems tell of failed writes only here. */
	if (close(file->descriptor) != 0 && file->state->error == 0) {
		file->state->error = errno;
	}
	free(file);
	return 0;
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags)
{
	(void)base;
	*flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
	         H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_POSIX_COMPAT_HANDLE |
	         H5FD_FEAT_SUPPORTS_SWMR_IO | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
	return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *base, H5FD_mem_t type)
{
	(void)type;
	return ((const driver_file *)base)->end_of_address;
}

static herr_t driver_set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t address)
{
	(void)type;
	driver_file *file = (driver_file *)base;
	file->end_of_address = address;
	weir_file_state *state = file->state;
	if (state->reserve && state->error == 0 && address > file->end_of_file) {
		if (fallocate(file->descriptor, 0, (off_t)file->end_of_file,
		              (off_t)(address - file->end_of_file)) == 0) {
			file->end_of_file = address;
		} else if (errno != EOPNOTSUPP && errno != ENOSYS) {
			state->error = errno;
		}
	}
	return 0;
}

static haddr_t driver_get_eof(const H5FD_t *base, H5FD_mem_t type)
{
	(void)type;
	return ((const driver_file *)base)->end_of_file;
}

static herr_t driver_get_handle(H5FD_t *base, hid_t access_list, void **handle)
{
	(void)access_list;
	*handle = &((driver_file *)base)->descriptor;
	return 0;
}

static herr_t driver_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer_list, haddr_t address,
                          size_t size, void *buffer)
{
	(void)transfer_list;
	driver_file *file = (driver_file *)base;
	weir_file_state *state = file->state;
	size_t got = 0;
	int failure = weir_read_at(file->descriptor, buffer, size, address, &got);
	if (failure != 0) {
		state->error = failure;
		return -1;
	}
	if (got < size) {
		/* Metadata is read ahead of what there is, and has checksums; data has not. */
		memset((char *)buffer + got, 0, size - got);
		if (type == H5FD_MEM_DRAW) {
			return -1;
		}
	}
	if (state->notes != NULL) {
		weir_journal_apply(state->notes, address, buffer, size);
	}
	return 0;
}

/* Rows that are cut short are known by the marks of the last flush. To undo, it matters what was at
 * their place. */
static bool is_noted(const weir_journal *journal, H5FD_mem_t type)
{
	return journal->kind == WEIR_JOURNAL_UNDO || type != H5FD_MEM_DRAW;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer_list, haddr_t address,
                           size_t size, const void *buffer)
{
	(void)transfer_list;
	driver_file *file = (driver_file *)base;
	weir_file_state *state = file->state;
	if (state->journal != NULL && state->error == 0 && is_noted(state->journal, type)) {
		state->error = weir_journal_note(state->journal, file->descriptor, address, buffer, size);
	}
	if (state->error == 0) {
		state->error = weir_write_at(file->descriptor, buffer, size, address);
	}
	if (address + size > file->end_of_file) {
		file->end_of_file = address + size;
	}
	return 0;
}

static herr_t driver_truncate(H5FD_t *base, hid_t transfer_list, hbool_t closing)
{
	(void)transfer_list;
	(void)closing;
	driver_file *file = (driver_file *)base;
	if (file->end_of_address != file->end_of_file) {
		if (file->state->error == 0 &&
		    ftruncate(file->descriptor, (off_t)file->end_of_address) != 0) {
			file->state->error = errno;
		}
		file->end_of_file = file->end_of_address;
	}
	return 0;
}

/* HDF5 marks a file as being written only if its driver can lock. Nothing is locked: whoever has
 * the file open must not be able to stop the run. */
static herr_t driver_lock(H5FD_t *base, hbool_t for_writing)
{
	(void)base;
	(void)for_writing;
	return 0;
}

static herr_t driver_unlock(H5FD_t *base)
{
	(void)base;
	return 0;
}

static const H5FD_class_t driver_class = {
    .name = "weir",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(driver_settings),
    .open = driver_open,
    .close = driver_close,
    .query = driver_query,
    .get_eoa = driver_get_eoa,
    .set_eoa = driver_set_eoa,
    .get_eof = driver_get_eof,
    .get_handle = driver_get_handle,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .lock = driver_lock,
    .unlock = driver_unlock,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

herr_t weir_file_driver_set(hid_t access_list, weir_file_state *state)
{
	/* The list and each open file hold the registered driver; the last of them lets it go. */
	hid_t driver = H5FDregister(&driver_class);
	driver_settings settings = {.state = state};
	herr_t set = driver < 0 ? -1 : H5Pset_driver(access_list, driver, &settings);
	if (driver >= 0) {
		H5FDunregister(driver);
	}
	return set;
}

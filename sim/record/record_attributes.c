/* Attributes and documents of a file that is being recorded. */
#include <string.h>

#include "record/record_internal.h"

/* Opens the group or dataset `path`, making a group when there is nothing. */
static hid_t open_object(weir_recorder *recorder, const char *path)
{
	if (!weir_recorder_make_writable(recorder)) {
		return H5I_INVALID_HID;
	}
	hid_t object = H5Oopen(recorder->file, path, H5P_DEFAULT);
	return object >= 0 ? object : weir_hdf5_make_group(recorder->file, path);
}

static weir_status end_attribute(weir_recorder *recorder, const weir_hdf5_guard *guard, hid_t id,
                                 bool set, weir_error *error)
{
	weir_hdf5_release(id);
	weir_status status = weir_recorder_check(recorder, set, "write an attribute", error);
	weir_hdf5_leave(guard);
	return status;
}

weir_status weir_recorder_set_text(weir_recorder *recorder, const char *object, const char *name,
                                   const char *text, weir_error *error)
{
	size_t length = strlen(text);
	if (length > WEIR_RECORD_TEXT_SIZE) {
		return weir_error_set(error, WEIR_ERROR_INPUT, recorder->path,
		                      "the text of attribute %s of %s has %zu bytes; at most %d fit", name,
		                      object, length, WEIR_RECORD_TEXT_SIZE);
	}
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(recorder, object);
	bool set = id >= 0 && weir_hdf5_set_text(id, name, text, 0);
	return end_attribute(recorder, &guard, id, set, error);
}

weir_status weir_recorder_set_number(weir_recorder *recorder, const char *object, const char *name,
                                     double value, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(recorder, object);
	bool set = id >= 0 && weir_hdf5_set_number(id, name, value);
	return end_attribute(recorder, &guard, id, set, error);
}

weir_status weir_recorder_set_integer(weir_recorder *recorder, const char *object, const char *name,
                                      int64_t value, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	hid_t id = open_object(recorder, object);
	bool set = id >= 0 && weir_hdf5_set_integer(id, name, value);
	return end_attribute(recorder, &guard, id, set, error);
}

weir_status weir_recorder_set_document(weir_recorder *recorder, const char *object,
                                       const char *text, const char *description, weir_error *error)
{
	weir_hdf5_guard guard;
	weir_hdf5_enter(&guard);
	bool written = weir_recorder_make_writable(recorder) &&
	               weir_hdf5_set_document(recorder->file, object, text, description);
	weir_status status = weir_recorder_check(recorder, written, "write a document", error);
	weir_hdf5_leave(&guard);
	return status;
}

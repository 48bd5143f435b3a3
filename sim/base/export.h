/* Visibility and linkage of the public interface. */
#ifndef WEIR_BASE_EXPORT_H
#define WEIR_BASE_EXPORT_H

#if defined(__GNUC__)
#define WEIR_API __attribute__((visibility("default")))
#define WEIR_PRINTF(format_index, first_index)                                                     \
	__attribute__((format(printf, format_index, first_index)))
#else
#define WEIR_API
#define WEIR_PRINTF(format_index, first_index)
#endif

#ifdef __cplusplus
#define WEIR_BEGIN_C extern "C" {
#define WEIR_END_C   }
#else
#define WEIR_BEGIN_C
#define WEIR_END_C
#endif

#endif

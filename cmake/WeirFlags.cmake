# Compiler flags of every target, as one interface library.
add_library(weir_flags INTERFACE)
target_include_directories(weir_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/sim ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(weir_flags INTERFACE _GNU_SOURCE
  $<$<OR:$<BOOL:${WEIR_INVARIANTS}>,$<CONFIG:Debug>>:WEIR_INVARIANTS>)
target_compile_options(weir_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror
  -fvisibility=hidden
  # Nobody replaces a function of ours at load time; without this gcc inlines no exported one.
  -fno-semantic-interposition
  # Fused multiply-add would make results depend on compiler and processor.
  -ffp-contract=off
  # Nobody reads errno after sqrt; without this it is a call. Changes no result, unlike -ffast-math.
  -fno-math-errno)

set(weir_instruments "")
if(WEIR_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "WEIR_FUZZ needs clang (libFuzzer): cmake --preset fuzz")
  endif()
  target_compile_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(WEIR_SANITIZE OR WEIR_FUZZ)
  target_compile_options(weir_flags INTERFACE -fno-sanitize-recover=all -fno-omit-frame-pointer)
  list(APPEND weir_instruments -fsanitize=address,undefined)
endif()
if(WEIR_FUZZ)
  # Library code as well, so that the fuzzer sees its branches; assertions in every build type.
  target_compile_options(weir_flags INTERFACE -UNDEBUG -fsanitize=fuzzer-no-link,address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(weir_flags INTERFACE -fsanitize=address,undefined)
endif()
if(WEIR_COVERAGE)
  list(APPEND weir_instruments --coverage)
endif()
target_compile_options(weir_flags INTERFACE ${weir_instruments})
target_link_options(weir_flags INTERFACE ${weir_instruments})

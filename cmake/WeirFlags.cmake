# Compiler flags of every target, as one interface library.
add_library(weir_flags INTERFACE)
target_include_directories(weir_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/sim ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(weir_flags INTERFACE _GNU_SOURCE
  $<$<OR:$<BOOL:${WEIR_INVARIANTS}>,$<CONFIG:Debug>>:WEIR_INVARIANTS>)
target_compile_options(weir_flags INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror
  -fvisibility=hidden
  # Fused multiply-add would make results depend on compiler and processor.
  -ffp-contract=off)
if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(weir_flags INTERFACE -fsanitize=address,undefined)
endif()
if(WEIR_FUZZ)
  # Library code as well, so that the fuzzer sees its branches; assertions in every build type.
  target_compile_options(weir_flags INTERFACE -UNDEBUG -fsanitize=fuzzer-no-link,address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(weir_flags INTERFACE -fsanitize=address,undefined)
endif()
if(WEIR_COVERAGE)
  target_compile_options(weir_flags INTERFACE --coverage)
  target_link_options(weir_flags INTERFACE --coverage)
endif()

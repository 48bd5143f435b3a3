# Turns files into C arrays at build time, with nothing but CMake.
#   weir_embed(OUTPUT HEADER PREFIX FILE...)
# makes a rule for the C file OUTPUT, which includes HEADER and defines, for a FILE named Some.txt,
# `const unsigned char PREFIXsome_txt[]` and `const size_t PREFIXsome_txt_size`; the array holds one
# more byte, a NUL that the size does not count. HEADER declares them.
if(CMAKE_SCRIPT_MODE_FILE)
  # The rule's own work: cmake -DOUTPUT=... -DHEADER=... -DPREFIX=... -DFILES="a;b" -P this file
  set(text "/* Made by cmake/WeirEmbed.cmake. */\n#include \"${HEADER}\"\n")
  foreach(file ${FILES})
    get_filename_component(name ${file} NAME)
    string(TOLOWER ${name} name)
    string(MAKE_C_IDENTIFIER ${name} name)
    file(READ ${file} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REPLACE "0x0a," "0x0a,\n" bytes "${bytes}")
    string(APPEND text "\nconst unsigned char ${PREFIX}${name}[] = {\n${bytes}0x00};\n"
           "const size_t ${PREFIX}${name}_size = sizeof ${PREFIX}${name} - 1;\n")
  endforeach()
  file(WRITE ${OUTPUT} "${text}")
  return()
endif()

set(WEIR_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(weir_embed output header prefix)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DHEADER=${header} -DPREFIX=${prefix}
            "-DFILES=${ARGN}" -P ${WEIR_EMBED_SCRIPT}
    DEPENDS ${ARGN} ${WEIR_EMBED_SCRIPT}
    COMMENT "Embedding ${output}"
    VERBATIM)
endfunction()

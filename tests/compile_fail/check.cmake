# Checks that a source does not compile, and that the compiler says why in the words we expect.
#
#   cmake -DCOMPILER=... -DCOMPILER_ID=GNU|Clang -DINCLUDE_ROOT=... -DSOURCE=... -P check.cmake
#
# The first line of the source is `// expect: some text`. The text is taken literally.

# The reason goes out on a line of its own: the text of an error would be wrapped.
function(refuse reason)
  message("${SOURCE}: ${reason}")
  message(FATAL_ERROR "The check does not hold.")
endfunction()

file(STRINGS "${SOURCE}" first_line LIMIT_COUNT 1 ENCODING UTF-8)
if(NOT first_line MATCHES "^// expect: (.+)$")
  refuse("the first line must be `// expect: some text`")
endif()
string(STRIP "${CMAKE_MATCH_1}" expected)
string(REPLACE "\\;" ";" expected "${expected}")

set(no_source_lines -fno-diagnostics-show-caret)
if(COMPILER_ID MATCHES "Clang")
  set(no_source_lines -fno-caret-diagnostics)
endif()

# Without the source lines in its output, the compiler cannot answer the expectation by quoting it.
execute_process(
  COMMAND
    "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" -std=c++23 -fsyntax-only -w -fmessage-length=0
    ${no_source_lines} -fno-diagnostics-color "-I${INCLUDE_ROOT}" "${SOURCE}"
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output
)

if(result EQUAL 0)
  refuse("compiles, but must not")
endif()
string(FIND "${output}" "${expected}" position)
if(position EQUAL -1)
  refuse("fails, but without the expected text `${expected}`:\n${output}")
endif()

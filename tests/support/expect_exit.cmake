# cmake -DCODE=7 -DMATCH=regex "-DCOMMAND=prog;arg" -P expect_exit.cmake
# Succeeds when the command exits with CODE and what it prints matches MATCH.
execute_process(COMMAND ${COMMAND} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text
                TIMEOUT 60)
if(NOT code STREQUAL CODE OR NOT text MATCHES "${MATCH}")
  message(FATAL_ERROR "expected exit code ${CODE} and '${MATCH}', found ${code} and:\n${text}")
endif()

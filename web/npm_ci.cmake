# cmake -DNPM=... -DFOLDER=... -P npm_ci.cmake: installs a folder's npm packages unless they are what its
# package-lock.json asks for. Builds in several folders at once take turns.

file(LOCK ${FOLDER}/.npm_ci.lock GUARD PROCESS TIMEOUT 900)
file(SHA256 ${FOLDER}/package-lock.json wanted)
set(record ${FOLDER}/node_modules/.installed_lock_sha256)
set(present "")
if(EXISTS ${record})
  file(READ ${record} present)
endif()
if(present STREQUAL wanted)
  return()
endif()

execute_process(COMMAND ${NPM} ci --ignore-scripts --prefer-offline --loglevel=error
                WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "npm ci failed in ${FOLDER} (${result}): it needs the npm registry once")
endif()
file(WRITE ${record} ${wanted})

# SPDX-License-Identifier: Apache-2.0
# cmake -DSOURCE=… -DVERSION=… -DOUTPUT=… -P build-id.cmake: writes a header with version and commit, if they changed.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --tags
    OUTPUT_VARIABLE build OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT build)
    set(build unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT
    "#pragma once\n#define SOUK_VERSION \"${VERSION}\"\n#define SOUK_BUILD \"${build}\"\n")

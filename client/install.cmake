# What a service links: libsouk-client.a, souk.h and souk.pc. The library is the client with the parts of codec it needs
# as one object in which only souk_* is visible, so that no name of ours meets one of the service's.
include(GNUInstallDirs)

add_library(souk_client_parts OBJECT client/bundler.c client/souk.c codec/check.c codec/cursor.c codec/envelope.c
    codec/ids.c codec/pack.c codec/status.c)
target_include_directories(souk_client_parts PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(souk_client_parts PRIVATE PkgConfig::ZMQ PkgConfig::MSGPACK PkgConfig::XXHASH)

set(souk_client_object ${CMAKE_BINARY_DIR}/souk-client${CMAKE_C_OUTPUT_EXTENSION})
add_custom_command(OUTPUT ${souk_client_object}
    COMMAND ${CMAKE_LINKER} -r -o ${souk_client_object} $<TARGET_OBJECTS:souk_client_parts>
    COMMAND ${CMAKE_OBJCOPY} --wildcard --keep-global-symbol=souk_* ${souk_client_object}
    DEPENDS souk_client_parts $<TARGET_OBJECTS:souk_client_parts>
    COMMAND_EXPAND_LISTS VERBATIM)
add_library(souk-client STATIC ${souk_client_object})
set_target_properties(souk-client PROPERTIES LINKER_LANGUAGE C)

# The installed tree may be moved: paths are told from where souk.pc lies.
file(RELATIVE_PATH souk_pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
file(CONFIGURE OUTPUT souk.pc @ONLY CONTENT [[
prefix=${pcfiledir}/@souk_pc_up@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: souk
Description: Client of a souk node: catalog, stock, carts, orders and payments over ZeroMQ
Version: @PROJECT_VERSION@
Requires: libzmq libxxhash
Libs: -L${libdir} -lsouk-client -pthread
Cflags: -I${includedir}
]])

install(TARGETS souk-client ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES client/souk.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/souk.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

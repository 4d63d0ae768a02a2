# tests/tsan/test_*.c: plain mains, since Criterion does not start under ThreadSanitizer; `tsan` is all of them.
set_source_files_properties(tests/tsan/handover.c PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread)
file(GLOB tsan_tests CONFIGURE_DEPENDS tests/tsan/test_*.c)
add_custom_target(tsan)
foreach(source ${tsan_tests})
    get_filename_component(base ${source} NAME_WE)
    add_executable(tsan_${base} EXCLUDE_FROM_ALL ${source} tests/tsan/handover.c)
    target_link_libraries(tsan_${base} PRIVATE souk_cli stdc++)
    target_link_options(tsan_${base} PRIVATE -Wl,--wrap=zmq_bind,--wrap=zmq_connect,--wrap=zmq_close
        -Wl,--wrap=zmq_send,--wrap=zmq_msg_send,--wrap=zmq_msg_recv,--wrap=zmq_msg_init_data)
    add_dependencies(tsan tsan_${base})
    add_test(NAME tsan_${base} COMMAND tsan_${base})
    set_tests_properties(tsan_${base} PROPERTIES TIMEOUT 120 LABELS tsan ENVIRONMENT
        "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan/suppressions:second_deadlock_stack=1")
endforeach()
add_test(NAME tsan_test_canary_sound COMMAND tsan_test_canary sound)
set_tests_properties(tsan_test_canary PROPERTIES WILL_FAIL TRUE)
get_test_property(tsan_test_canary ENVIRONMENT tsan_environment)
set_tests_properties(tsan_test_canary_sound PROPERTIES TIMEOUT 60 LABELS tsan ENVIRONMENT "${tsan_environment}")

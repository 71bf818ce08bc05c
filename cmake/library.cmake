# primacy_library(name SOURCES … PUBLIC … PRIVATE …): a static library of this project.
#
# TOGETHER: where PRIMACY_TOGETHER is on, its sources are compiled several at a time, because most of
# the time of most of them goes into the same headers: a clean build takes half as long. Names in
# the anonymous namespaces of such a library's sources differ, then. `dev` compiles each on its own,
# so that each includes what it needs.
function(primacy_library name)
    cmake_parse_arguments(arg "TOGETHER" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    add_library(${name} STATIC ${arg_SOURCES})
    target_compile_features(${name} PUBLIC cxx_std_20)
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} primacy_warnings)
    if(arg_TOGETHER AND PRIMACY_TOGETHER)
        set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
        # It means types of headers; these sources are included, and in no second place.
        target_compile_options(${name} PRIVATE -Wno-subobject-linkage)
    endif()
endfunction()

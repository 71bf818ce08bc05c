if(PRIMACY_SANITIZE)
    # -O1 keeps the coroutine-heavy code quick enough to test; frame pointers keep reports readable.
    add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
        -fno-omit-frame-pointer -O1)
    add_link_options(-fsanitize=address,undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # clang 14 cannot place its function-type marks beside coroutines ("Cannot represent a
        # difference across sections").
        add_compile_options(-fno-sanitize=function)
    endif()
endif()
if(PRIMACY_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# One interface target carries the warnings, so that third-party headers never see them.
add_library(primacy_warnings INTERFACE)
target_compile_options(primacy_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
    -Wimplicit-fallthrough -Wextra-semi)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 at -O1 and above reports Asio's coroutine frames, which are freed by a matching operator,
    # and the error of a moved result<T>, which is looked at only when it is there.
    target_compile_options(primacy_warnings INTERFACE
        -Wno-mismatched-new-delete -Wno-maybe-uninitialized)
endif()
if(PRIMACY_WERROR)
    target_compile_options(primacy_warnings INTERFACE -Werror)
endif()

# rw_warnings: what every target of ours is compiled with. An interface, so that no global flag is set.
add_library(rw_warnings INTERFACE)
target_compile_options(rw_warnings INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wpedantic -Wstrict-prototypes
                       -Wmissing-prototypes -Wundef -Wvla -fno-strict-aliasing)
if(RW_WERROR)
  target_compile_options(rw_warnings INTERFACE -Werror)
endif()
if(RW_SANITIZE)
  target_compile_options(rw_warnings INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                         -fno-omit-frame-pointer)
  target_link_options(rw_warnings INTERFACE -fsanitize=address,undefined)
endif()

# Run by CPack over the files that go into the .deb: compresses what Debian's policy wants compressed, without
# a time in it, so that the same source makes the same package.
file(GLOB files
  "${CPACK_TEMPORARY_DIRECTORY}/usr/share/man/man*/*"
  "${CPACK_TEMPORARY_DIRECTORY}/usr/share/doc/berth/changelog*")
foreach(file IN LISTS files)
  if(NOT file MATCHES "\\.gz$")
    execute_process(COMMAND gzip -9n "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()

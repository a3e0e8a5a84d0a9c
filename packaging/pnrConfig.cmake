# find_package(pnr): pnr::pnr is libpnr, pnr::pnr_static the same as a static library.
include("${CMAKE_CURRENT_LIST_DIR}/pnrTargets.cmake")

# What of the provider a unit test plays itself, natively and under Wine: test_lookup and the others
# have the functions below as __wrap_FUNCTION.
set(PNR_NSP_WRAPS_link nsp_platform_wait)
set(PNR_NSP_WRAPS_lookup nsp_link_start nsp_link_cancel pnr_resolve pnr_watch pnr_client_limit)
set(PNR_NSP_WRAPS_registration nsp_link_start nsp_link_cancel pnr_key_show pnr_register
                               pnr_unregister_in)
set(PNR_NSP_WRAPS_source_cloud nsp_link_start nsp_link_cancel pnr_clouds)

function(pnr_nsp_wrap file)
    list(TRANSFORM PNR_NSP_WRAPS_${file} PREPEND LINKER:--wrap= OUTPUT_VARIABLE wraps)
    target_link_options(test_nsp_${file} PRIVATE ${wraps})
endfunction()

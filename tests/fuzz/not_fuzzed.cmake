# Sources that no fuzz target needs, by the beginnings of their paths. They are not compiled where only these are built.
# One that is needed after all is missed by the linker: take it off the list then.

set(
  antiphon_not_fuzzed
  apps/echo_ apps/heartbeat apps/helper_process apps/inheritance apps/input_file apps/life apps/meter
  apps/metrics_ apps/monitor apps/notices apps/output apps/serving apps/trace_parts
  apps/verify_foreign apps/verify_in_simulator apps/verify_probe apps/verify_report apps/verify_trace
  apps/verify_verdict interpreters/family_stop interpreters/fork interpreters/free_address interpreters/shared_
  interpreters/trace_file interpreters/trace_writer verify/bisim verify/breadth_first verify/campaign verify/circles
  verify/client_view verify/clients verify/company verify/comparison verify/coverage verify/crew verify/depth_first
  verify/difference verify/emitted_test verify/exhaustive verify/explorer verify/fault_matrix verify/independence
  verify/kernel_clients verify/lying_kernels verify/monitor verify/mutants verify/mutation verify/nearest
  verify/observation verify/parity verify/peer verify/perform verify/planted verify/position verify/probe
  verify/promises verify/same_tree verify/schedule verify/score verify/search verify/shrink
  verify/state_space verify/table verify/transcript verify/walks
)
list(JOIN antiphon_not_fuzzed "|" antiphon_not_fuzzed)
set(antiphon_not_fuzzed "/(${antiphon_not_fuzzed})[a-z_]*\\.cpp$")

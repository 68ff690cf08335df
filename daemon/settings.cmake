# The configuration: reader, checks and the schema, which is part of the program.
include(EmbedFile)
berth_embed_file(berth_daemon "${PROJECT_SOURCE_DIR}/config/berthd.xsd" berth_settings_schema)
target_sources(berth_daemon PRIVATE
  expand.c
  expand.h
  settings.c
  settings.h
  settings_check.c
  settings_diagnostics.c
  settings_internal.h
  settings_load.c
  settings_parse.c
  settings_rules.c
  settings_summary.c
  settings_tree.c
  settings_values.c)

std = "luajit"
max_line_length = 120
cache = false
exclude_files = { ".build" }
files["**/*_spec.lua"].std = "luajit+busted"
files["**/*_meta.lua"].unused_args = false
-- Replaces coroutine.resume and .wrap in the script's state: that is its job.
files["lua/stagehost/engine/nest.lua"].globals = { "coroutine" }

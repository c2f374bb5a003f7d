-- @description Hitpoint: Score selected items
-- @author Hitpoint
-- @version 0.1.0
-- @provides
--   [main] .
--   [main] Hitpoint_Score time selection.lua
--   [main] Hitpoint_Re-score what changed.lua
--   [main] Hitpoint_Regenerate selected bars.lua
--   [main] Hitpoint_Next take.lua
--   [main] Hitpoint_Live follow.lua
--   [main] Hitpoint_Settings.lua
--   [nomain] acceptance.lua
--   [nomain] lib/*.lua
--   [nomain] Hitpoint.ReaperOSC
-- @about
--   # Hitpoint
--   Music that hits your cuts: select video items, run the action, and get MIDI tracks, a tempo map and markers.
--   Needs the bridge: `pip install hitpoint`, then `hitpoint install reaper`.

local _, script = reaper.get_action_context()
dofile(script:match("^.*[/\\]") .. "lib/hitpoint.lua")

-- @description Hitpoint: Regenerate selected bars (or the selected MIDI item)
-- @author Hitpoint
-- @version 0.1.0
-- @noindex

local _, script = reaper.get_action_context()
dofile(script:match("^.*[/\\]") .. "lib/hitpoint.lua")

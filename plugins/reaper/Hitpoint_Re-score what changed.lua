-- @description Hitpoint: Re-score what changed
-- @author Hitpoint
-- @version 0.1.0
-- @noindex

local _, script = reaper.get_action_context()
dofile(script:match("^.*[/\\]") .. "lib/hitpoint.lua")

-- @description Hitpoint: Next take
-- @author Hitpoint
-- @version 0.1.0
-- @noindex

local _, script, section, command = reaper.get_action_context()
local folder = script:match("^(.*[/\\])")
local hitpoint = assert(loadfile(folder .. "lib/hitpoint.lua"))(folder)
hitpoint.next_take()

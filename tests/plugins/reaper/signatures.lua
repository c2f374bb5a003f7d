-- REAPER 7's ReaScript functions that the plugin may call: name, argument types ("?" = may be left out), return types.
-- Facts of REAPER's own API documentation. A name that is not here is an error in the emulator.
local text = [[
AddRemoveReaScript | boolean integer string boolean | integer
APIExists | string | boolean
AddProjectMarker2 | ReaProject boolean number number string integer integer | integer
ColorToNative | integer integer integer | integer
CountMediaItems | ReaProject | integer
CountProjectMarkers | ReaProject | integer integer integer
CountSelectedMediaItems | ReaProject | integer
CountTakes | MediaItem | integer
CountTempoTimeSigMarkers | ReaProject | integer
CountTracks | ReaProject | integer
CreateNewMIDIItemInProj | MediaTrack number number boolean? | MediaItem
DeleteTempoTimeSigMarker | ReaProject integer | boolean
EnumProjectMarkers3 | ReaProject integer | integer boolean number number string integer integer
EnumProjects | integer | ReaProject string
ExecProcess | string integer | string
GetTrackStateChunk | MediaTrack string boolean? | boolean string
TrackFX_AddByName | MediaTrack string boolean integer | integer
GetNumTakeMarkers | MediaItem_Take | integer
GetTakeMarker | MediaItem_Take integer | number string integer
GetItemStateChunk | MediaItem string boolean? | boolean string
GetParentTrack | MediaTrack | MediaTrack
get_config_var_string | string | boolean string
SetProjectMarkerByIndex2 | ReaProject integer boolean number number integer string integer integer | boolean
DeleteTrackMediaItem | MediaTrack MediaItem | boolean
DeleteProjectMarkerByIndex | ReaProject integer | boolean
TimeMap2_QNToTime | ReaProject number | number
GetMasterTrack | ReaProject | MediaTrack
CountTrackEnvelopes | MediaTrack | integer
SetTrackStateChunk | MediaTrack string boolean | boolean
GetTrackEnvelope | MediaTrack integer | TrackEnvelope
GetEnvelopeName | TrackEnvelope | boolean string
CountEnvelopePoints | TrackEnvelope | integer
GetEnvelopePoint | TrackEnvelope integer | boolean number number integer number boolean
SetEnvelopePoint | TrackEnvelope integer number? number? integer? number? boolean? boolean? | boolean
Envelope_SortPoints | TrackEnvelope | boolean
GetActiveTake | MediaItem | MediaItem_Take
GetCursorPositionEx | ReaProject | number
GetExtState | string string | string
GetMediaItem | ReaProject integer | MediaItem
GetMediaItemInfo_Value | MediaItem string | number
GetMediaItemTake | MediaItem integer | MediaItem_Take
GetMediaItemTakeInfo_Value | MediaItem_Take string | number
GetMediaItemTake_Source | MediaItem_Take | PCM_source
GetMediaItem_Track | MediaItem | MediaTrack
GetMediaSourceFileName | PCM_source | string
GetMediaSourceLength | PCM_source | number boolean
GetMediaSourceParent | PCM_source | PCM_source
GetMediaSourceType | PCM_source | string
GetMediaTrackInfo_Value | MediaTrack string | number
GetAppVersion | | string
GetPlayPositionEx | ReaProject | number
GetPlayStateEx | ReaProject | integer
GetProjExtState | ReaProject string string | integer string
GetResourcePath | | string
GetSelectedMediaItem | ReaProject integer | MediaItem
GetSetMediaItemTakeInfo_String | MediaItem_Take string string boolean | boolean string
GetSetMediaTrackInfo_String | MediaTrack string string boolean | boolean string
GetSetRepeat | integer | integer
GetSetTempoTimeSigMarkerFlag | ReaProject integer integer boolean | integer
GetSet_LoopTimeRange2 | ReaProject boolean boolean number number boolean | number number
GetTempoTimeSigMarker | ReaProject integer | boolean number integer number number integer integer boolean
GetTrack | ReaProject integer | MediaTrack
GetTrackMediaItem | MediaTrack integer | MediaItem
GetTrackNumMediaItems | MediaTrack | integer
GetUserInputs | string integer string string | boolean string
InsertTrackAtIndex | integer boolean |
MIDI_CountEvts | MediaItem_Take | integer integer integer integer
MIDI_GetAllEvts | MediaItem_Take string? | boolean string
MIDI_GetNote | MediaItem_Take integer | boolean boolean boolean number number integer integer integer
MIDI_GetPPQPosFromProjQN | MediaItem_Take number | number
MIDI_GetProjTimeFromPPQPos | MediaItem_Take number | number
MIDI_InsertCC | MediaItem_Take boolean boolean number integer integer integer integer | boolean
MIDI_SetAllEvts | MediaItem_Take string | boolean
MIDI_Sort | MediaItem_Take |
Main_OnCommand | integer integer |
Master_GetPlayRate | ReaProject | number
PCM_Source_GetSectionInfo | PCM_source | boolean number number boolean
PreventUIRefresh | integer |
RecursiveCreateDirectory | string integer | integer
RefreshToolbar2 | integer integer |
SetActiveTake | MediaItem_Take |
SetExtState | string string string boolean |
SetMediaItemInfo_Value | MediaItem string number | boolean
SetMediaItemTakeInfo_Value | MediaItem_Take string number | boolean
SetMediaTrackInfo_Value | MediaTrack string number | boolean
SetProjExtState | ReaProject string string string | integer
SetProjectMarker3 | ReaProject integer boolean number number string integer | boolean
SetTempoTimeSigMarker | ReaProject integer number integer number number integer integer boolean | boolean
SetToggleCommandState | integer integer integer | boolean
ShowConsoleMsg | string |
ShowMessageBox | string string integer | integer
TimeMap_GetTimeSigAtTime | ReaProject number | integer integer number
TimeMap_curFrameRate | ReaProject | number boolean
TimeMap2_timeToQN | ReaProject number | number
Undo_BeginBlock2 | ReaProject |
Undo_CanUndo2 | ReaProject | string
Undo_DoUndo2 | ReaProject | integer
Undo_EndBlock2 | ReaProject string integer |
UpdateArrange | |
UpdateTimeline | |
ValidatePtr2 | ReaProject identifier string | boolean
atexit | function |
genGuid | string | string
defer | function | boolean
file_exists | string | boolean
get_action_context | | boolean string integer integer integer integer integer string
set_action_options | integer |
time_precise | | number
]]

local signatures = {}
for line in text:gmatch("[^\n]+") do
  local name, arguments, returns = line:match("^(%S+) | ?(.-) ?|%s*(.-)%s*$")
  local row = { arguments = {}, returns = {} }
  for kind in arguments:gmatch("%S+") do
    row.arguments[#row.arguments + 1] = kind
  end
  for kind in returns:gmatch("%S+") do
    row.returns[#row.returns + 1] = kind
  end
  signatures[name] = row
end
return signatures

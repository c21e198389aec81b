-- Lets Wireshark's own dissector of the DLM read all of protocol 3.2.
--
-- Linux sends the first packets of a recovery (STATUS, NAMES and their replies) without the envelope that 3.2 has brought: fs/dlm/
-- rcom.c, `create_rcom_stateless`. Wireshark 4.0 takes such a packet for one whose header comes twice, reads every field 16 bytes
-- too late and calls short ones malformed (epan/dissectors/packet-dlm3.c, `dissect_dlm3_2`). Apart from the version they are the
-- packets of 3.1, which it reads rightly; so it is handed them as these, and the item before says so.
--
--   tshark -X lua_script:dlm32.lua -r run.pcapng -O dlm3

local dlm32 = Proto('dlm32', 'Distributed Lock Manager 3.2')

local TCP_PORT = 21064
local HEADER_BYTES = 16
--- Where a header has its length, and its command.
local LENGTH_AT = 12
local COMMAND_AT = 14
local VERSION_3_1 = 0x00030001
local VERSION_3_2 = 0x00030002
local MSG = 1
local RCOM = 2

local tcp_ports = DissectorTable.get('tcp.port')
local wireshark = tcp_ports:get_dissector(TCP_PORT)

local bare = ProtoField.bool('dlm32.bare', 'Without envelope, read as 3.1')
dlm32.fields = { bare }

local function packet_length(tvb, _, at)
  -- A length that no packet has is for Wireshark's dissector to judge.
  return math.max(tvb(at + LENGTH_AT, 2):le_uint(), HEADER_BYTES)
end

local function dissect_packet(tvb, pinfo, tree)
  local command = tvb(COMMAND_AT, 1):uint()
  local is_bare = tvb(0, 4):le_uint() == VERSION_3_2 and (command == MSG or command == RCOM)
  if is_bare then
    local packet = tvb():bytes()
    packet:set_index(0, VERSION_3_1 % 256)
    tree:add(dlm32, tvb()):add(bare, tvb(COMMAND_AT, 1), true):set_generated()
    wireshark(packet:tvb('DLM packet as of 3.1'), pinfo, tree)
  else
    wireshark(tvb, pinfo, tree)
  end
  return tvb:len()
end

function dlm32.dissector(tvb, pinfo, tree)
  dissect_tcp_pdus(tvb, tree, HEADER_BYTES, packet_length, dissect_packet)
  return tvb:len()
end

tcp_ports:add(TCP_PORT, dlm32)

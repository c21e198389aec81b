-- Totem as corosync 3.1 speaks it over UDP: the packets of the ring, the messages packed into them, and what corosync's own
-- services say in those. Wireshark's own dissector, corosync_totemsrp, knows the headers of corosync 1 and 2 only.
--
--   tshark -X lua_script:totem31.lua -r ring.pcapng -V          wireshark -X lua_script:totem31.lua ring.pcapng
--   tshark -X lua_script:totem31.lua -r ring.pcapng -Y 'totem31.token.rtr_list_entries > 0'
--   tshark -X lua_script:totem31.lua -d udp.port==5407,totem31 …       a ring on another port
--
-- Every byte of a datagram belongs to a field. What cannot be right is in totem31.malformed, which says what was found and what
-- was expected. A message that was cut over several packets is shown whole where its last piece is.
--
-- Sources: corosync 3.1.7, exec/totemsrp.c, exec/totempg.c, exec/sync.c, exec/cpg.c, exec/cmap.c, exec/votequorum.c, exec/cfg.c.

local totem31 = Proto('totem31', 'Corosync Totem 3.1')

--- corosync sends from the first over multicast, and listens on the second.
local UDP_PORTS = { 5404, 5405 }
local MAGIC = 0xc070
local MAGIC_SWAPPED = 0x70c0
local VERSION = 3
local HEADER_BYTES = 13

local Type = { ORF_TOKEN = 0, MCAST = 1, MERGE_DETECT = 2, JOIN = 3, COMMIT_TOKEN = 4, HOLD_CANCEL = 5 }
local TYPE_NAMES = {
  [0] = 'ORF token', [1] = 'Multicast', [2] = 'Merge detect', [3] = 'Join', [4] = 'Commit token', [5] = 'Hold cancel',
}
local IN_RECOVERY = 1
local NORMAL = 2

-- Malformed packets ------------------------------------------------------------------------------------------------------------

local malformed = ProtoExpert.new('totem31.malformed', 'Malformed', expert.group.MALFORMED, expert.severity.ERROR)
totem31.experts = { malformed }

--- What ends the dissection of a packet: an error with a text.
local Malformed = {}

local function fail(...)
  error(setmetatable({ text = string.format(...) }, Malformed))
end

-- Reading: a stretch of bytes that is walked through once, field by field ----------------------------------------------------

local Cursor = {}
Cursor.__index = Cursor

--- Over the `size` bytes at `at`. `is_little` is the byte order of whoever sent the packet; `read_up_to`, which all cursors over a
--- buffer share, says how far it was understood.
local function new_cursor(tvb, at, size, is_little, read_up_to)
  return setmetatable({
    tvb = tvb, at = at, stop = at + size, is_little = is_little, read_up_to = read_up_to or { at = at },
  }, Cursor)
end

function Cursor:left()
  return self.stop - self.at
end

--- The next bytes, which stay unread.
function Cursor:peek(size, what)
  if size > self:left() then fail('found %d bytes, expected %d of %s', self:left(), size, what) end
  return self.tvb(self.at, size)
end

function Cursor:take(size, what)
  local range = self:peek(size, what)
  self.at = self.at + size
  self.read_up_to.at = self.at
  return range
end

--- A cursor of its own over the next bytes.
function Cursor:sub(size, what)
  self:peek(size, what)
  local sub = new_cursor(self.tvb, self.at, size, self.is_little, self.read_up_to)
  self.at = self.at + size
  return sub
end

--- Shows a field in the sender's byte order.
function Cursor:show(tree, field, range)
  if self.is_little then return tree:add_le(field, range) end
  return tree:add(field, range)
end

--- Nothing may be left over.
function Cursor:finish(what)
  if self:left() > 0 then fail('found %d bytes more than %s has', self:left(), what) end
end

-- Fields: each kind gives a part of a layout, which reads, shows and names one value ------------------------------------------

local fields = {}

local function register(constructor, name, ...)
  local field = constructor('totem31.' .. name, ...)
  fields[#fields + 1] = field
  return field
end

--- The last word of a filter name.
local function key_of(name)
  return name:match('[^.]+$')
end

local function number(constructor, size, value_of, name, label, names, radix)
  local field = register(constructor, name, label, radix or base.DEC, names)
  return {
    key = key_of(name),
    read = function(cursor, tree)
      local range = cursor:take(size, label)
      cursor:show(tree, field, range)
      return value_of(range, cursor.is_little)
    end,
  }
end

local function unsigned(range, is_little)
  return is_little and range:le_uint() or range:uint()
end
local function signed(range, is_little)
  return is_little and range:le_int() or range:int()
end
local function unsigned64(range, is_little)
  return is_little and range:le_uint64() or range:uint64()
end

local function u8(...) return number(ProtoField.uint8, 1, unsigned, ...) end
local function u16(...) return number(ProtoField.uint16, 2, unsigned, ...) end
local function i16(...) return number(ProtoField.int16, 2, signed, ...) end
local function u32(...) return number(ProtoField.uint32, 4, unsigned, ...) end
local function i32(...) return number(ProtoField.int32, 4, signed, ...) end
--- Its value is a UInt64.
local function u64(...) return number(ProtoField.uint64, 8, unsigned64, ...) end

--- Bytes; without a size, all that are left.
local function bytes(name, label, size)
  local field = register(ProtoField.bytes, name, label)
  return {
    key = key_of(name),
    read = function(cursor, tree)
      local range = cursor:take(size or cursor:left(), label)
      if range:len() > 0 then cursor:show(tree, field, range) end
      return range
    end,
  }
end

local PAD_FIELD = register(ProtoField.bytes, 'pad', 'Padding')
local function pad(size)
  return {
    key = 'pad',
    read = function(cursor, tree)
      local range = cursor:take(size, 'padding')
      if size > 0 then cursor:show(tree, PAD_FIELD, range) end
    end,
  }
end

--- Characters up to the first zero.
local function text(name, label, size)
  local field = register(ProtoField.string, name, label)
  return {
    key = key_of(name),
    read = function(cursor, tree)
      local range = cursor:take(size, label)
      local value = range:string():match('^[^\0]*')
      tree:add(field, range, value)
      return value
    end,
  }
end

--- A number of four bytes whose bits have names: {mask, filter name, label}.
local function flags(name, label, bits)
  local field = register(ProtoField.uint32, name, label, base.HEX)
  local bit_fields = {}
  for i, bit in ipairs(bits) do
    bit_fields[i] = register(ProtoField.bool, name .. '.' .. bit[2], bit[3], 32, nil, bit[1])
  end
  return {
    key = key_of(name),
    read = function(cursor, tree)
      local range = cursor:take(4, label)
      local item = cursor:show(tree, field, range)
      for _, bit_field in ipairs(bit_fields) do
        cursor:show(item, bit_field, range)
      end
      return unsigned(range, cursor.is_little)
    end,
  }
end

--- Walks a layout and gives its values by their keys.
local function walk(cursor, tree, layout)
  local values = {}
  for _, part in ipairs(layout) do
    values[part.key] = part.read(cursor, tree)
  end
  return values
end

--- A UInt64 without leading zeros.
local function hex_of(value)
  return (value:tohex():gsub('^0+(%x)', '%1'))
end

--- A ring's id, 12 bytes: u32 representative, u64 sequence. Its value is what corosync's logs have: both in hex.
local function ring(name, label)
  local field = register(ProtoField.string, name, label)
  local parts = { u32(name .. '.rep', 'Representative'), u64(name .. '.seq', 'Sequence of the ring') }
  return {
    key = key_of(name),
    read = function(cursor, tree)
      local range = cursor:peek(12, label)
      local rep = unsigned(range(0, 4), cursor.is_little)
      local value = string.format('%x.%s', rep, hex_of(unsigned64(range(4, 8), cursor.is_little)))
      walk(cursor, tree:add(field, range, value), parts)
      return value
    end,
  }
end

--- `count` times the same part, under an item of their own. Gives the values.
local function list(cursor, tree, title, count, part)
  local start = cursor.at
  local item = tree:add(cursor.tvb(start, 0), string.format('%s: %d', title, count))
  local values = {}
  for i = 1, count do
    values[i] = part.read(cursor, item)
  end
  item:set_len(cursor.at - start)
  return values
end

--- An item over what `body` reads under it. Gives what `body` returns.
local function section(cursor, tree, title, body)
  local start = cursor.at
  local item = tree:add(cursor.tvb(start, 0), title)
  local result = body(item)
  item:set_len(cursor.at - start)
  return result
end

-- Packets of the ring -----------------------------------------------------------------------------------------------------------

local HEADER = {
  u16('magic', 'Magic', nil, base.HEX),
  u8('version', 'Version'),
  u8('type', 'Type', TYPE_NAMES),
  u8('encapsulated', 'Encapsulated', { [0] = 'no', [IN_RECOVERY] = 'packet of the old ring', [NORMAL] = 'normal' }),
  u32('nodeid', 'Sender (0: it leaves)'),
  u32('target_nodeid', 'Target (not set over UDP)', nil, base.HEX),
}

local TOKEN = {
  u32('token.seq', 'Highest sequence number given out'),
  u32('token.token_seq', 'Hops of the token'),
  u32('token.aru', 'All received up to'),
  u32('token.aru_addr', 'Node that lowered it (0: none)'),
  ring('token.ring', 'Ring'),
  u32('token.backlog', 'Packets waiting at the nodes'),
  u32('token.fcc', 'Packets sent in the last rotation'),
  i32('token.retrans_flg', 'Old packets are being recovered'),
  i32('token.rtr_list_entries', 'Retransmissions asked for'),
}
local TOKEN_REQUEST = {
  ring('token.rtr.ring', 'Ring'),
  u32('token.rtr.seq', 'Missing sequence number'),
}

local MCAST = {
  u32('mcast.system_from', 'Originator'),
  u32('mcast.seq', 'Sequence number'),
  i32('mcast.this_seqno', "Originator's running count"),
  ring('mcast.ring', 'Ring'),
  u32('mcast.node_id', 'Node (always 0)'),
  i32('mcast.guarantee', 'Guarantee', { [0] = 'agreed', [1] = 'safe' }),
}

local MERGE_DETECT = { u32('merge.system_from', 'Representative'), ring('merge.ring', 'Ring') }
local HOLD_CANCEL = { ring('hold_cancel.ring', 'Ring') }

local JOIN = {
  u32('join.system_from', 'Originator'),
  u32('join.proc_list_entries', 'Nodes thought present'),
  u32('join.failed_list_entries', 'Nodes thought failed'),
  u64('join.ring_seq', 'Sequence of its ring', nil, base.HEX),
}
local JOIN_PROC = u32('join.proc', 'Node')
local JOIN_FAILED = u32('join.failed', 'Node')

local COMMIT = {
  u32('commit.token_seq', 'Hops of the token'),
  ring('commit.ring', 'New ring'),
  u32('commit.retrans_flg', 'Retransmission flag (always 0)'),
  i32('commit.memb_index', 'Members that have filled in theirs'),
  i32('commit.addr_entries', 'Members'),
}
local COMMIT_ADDRESS = u32('commit.addr', 'Node')
local COMMIT_MEMBER = {
  ring('commit.memb.ring', 'Old ring'),
  u32('commit.memb.aru', 'All received up to'),
  u32('commit.memb.high_delivered', 'Delivered up to'),
  u32('commit.memb.received_flg', 'Nothing of the old ring is missing'),
}

--- How often an entry of `size` bytes follows. A count that cannot be is told before it is believed.
local function checked_count(cursor, count, size, what)
  if count < 0 or count * size > cursor:left() then
    fail('found %d bytes, expected %d %s of %d bytes', cursor:left(), count, what, size)
  end
  return count
end

--- As many as corosync asks for at once.
local MOST_REQUESTS = 30

local function dissect_token(cursor, tree)
  local token = walk(cursor, tree, TOKEN)
  if token.rtr_list_entries > MOST_REQUESTS then
    fail('found %d requests, expected at most %d', token.rtr_list_entries, MOST_REQUESTS)
  end
  local count = checked_count(cursor, token.rtr_list_entries, 16, 'requests')
  local missing = {}
  for i = 1, count do
    section(cursor, tree, 'Request ' .. i, function(item)
      missing[i] = walk(cursor, item, TOKEN_REQUEST).seq
      item:append_text(': ' .. missing[i])
    end)
  end
  local asks = count == 0 and '' or ', missing ' .. table.concat(missing, ' ')
  return string.format('ring %s, seq %d, aru %d, hop %d%s', token.ring, token.seq, token.aru, token.token_seq, asks)
end

local function dissect_merge_detect(cursor, tree)
  return 'ring ' .. walk(cursor, tree, MERGE_DETECT).ring
end

local function dissect_hold_cancel(cursor, tree)
  return 'ring ' .. walk(cursor, tree, HOLD_CANCEL).ring
end

local function dissect_join(cursor, tree, header)
  local join = walk(cursor, tree, JOIN)
  checked_count(cursor, join.proc_list_entries + join.failed_list_entries, 4, 'nodes')
  local proc = list(cursor, tree, 'Thought present', join.proc_list_entries, JOIN_PROC)
  local failed = list(cursor, tree, 'Thought failed', join.failed_list_entries, JOIN_FAILED)
  return string.format(
    '%s %d, ring sequence %s, present {%s}, failed {%s}', header.nodeid == 0 and 'leave of' or 'by', join.system_from,
    hex_of(join.ring_seq), table.concat(proc, ' '), table.concat(failed, ' '))
end

local function dissect_commit_token(cursor, tree)
  local commit = walk(cursor, tree, COMMIT)
  local count = checked_count(cursor, commit.addr_entries, 28, 'members')
  local addresses = list(cursor, tree, 'Nodes', count, COMMIT_ADDRESS)
  for i = 1, count do
    section(cursor, tree, 'State of node ' .. addresses[i], function(item)
      local member = walk(cursor, item, COMMIT_MEMBER)
      item:append_text(i > commit.memb_index and ': not filled in' or ': from ring ' .. member.ring)
    end)
  end
  return string.format(
    'ring %s, hop %d, members {%s}, %d filled in', commit.ring, commit.token_seq, table.concat(addresses, ' '),
    commit.memb_index)
end

-- What the services say -----------------------------------------------------------------------------------------------------------

local SERVICES = {
  [0] = 'cmap', [1] = 'cfg', [2] = 'cpg', [3] = 'quorum', [4] = 'pload', [5] = 'votequorum', [6] = 'mon', [7] = 'watchdog',
}

--- Head of a request, 16 bytes. Of the group `a` its id is the service in the upper half and the function in the lower.
local REQUEST = {
  u32('request.id', 'Id', nil, base.HEX),
  pad(4),
  i32('request.size', 'Bytes with this head'),
  pad(4),
}
local SERVICE = register(ProtoField.uint16, 'request.service', 'Service', base.DEC, SERVICES)
local FUNCTION = register(ProtoField.uint16, 'request.function', 'Function')
local MESSAGE_NAME = register(ProtoField.string, 'request.name', 'Message')
local REQUEST_BODY = bytes('request.body', 'Body')

local SYNC_RING = { ring('sync.ring', 'Ring'), pad(4) }
local SYNC_COUNT = { i32('sync.service_list_entries', 'Services'), pad(4) }
local SYNC_SERVICE = i32('sync.service', 'Service', SERVICES)
local SYNC_UNUSED = bytes('sync.unused', 'Unused entries')
local SYNC_SERVICES = 128

local NAME = { u32('cpg.name_len', 'Bytes of the name'), pad(4), text('cpg.name', 'Group', 128) }
local REASONS = { [1] = 'join', [2] = 'leave', [3] = 'node down', [4] = 'node up', [5] = 'process down' }
local PID = u32('cpg.pid', 'Process')
local CPG_PROCESS = { PID, pad(4), u32('cpg.reason', 'Reason', REASONS), pad(4) }
local CPG_ERROR = { i32('cpg.error', 'Error'), pad(4) }
local CPG_PID = { PID, pad(4) }
local CPG_SOURCE = {
  u32('cpg.source.nodeid', 'Source node'),
  pad(4),
  u64('cpg.source.conn', 'Source connection (an address there)', nil, base.HEX),
}
local CPG_LENGTH = { u32('cpg.msglen', 'Bytes of the message'), pad(4) }
local CPG_PARTIAL = {
  u32('cpg.fraglen', 'Bytes of this piece'),
  pad(4),
  PID,
  pad(4),
  u32('cpg.fragment_type', 'Piece', { [1] = 'first', [2] = 'continued', [3] = 'last' }),
  pad(4),
}
local CPG_MESSAGE = bytes('cpg.message', 'Message')
local DOWNLIST = { u32('cpg.old_members', 'Members before'), pad(4), u32('cpg.left_nodes', 'Nodes that left'), pad(4) }
local DOWNLIST_NODE = u32('cpg.left_node', 'Node')
local DOWNLIST_UNUSED = bytes('cpg.downlist.unused', 'Unused entries (not cleared)')
local DOWNLIST_OLD = bytes('cpg.downlist_old', 'Downlist of corosync 1')
local DOWNLIST_NODES = 384

local VOTER = u32('votequorum.nodeid', 'Node (0: the quorum device)')
local NODEINFO = {
  VOTER,
  u32('votequorum.votes', 'Votes'),
  u32('votequorum.expected_votes', 'Expected votes'),
  flags('votequorum.flags', 'Flags', {
    { 1, 'quorate', 'Quorate' },
    { 2, 'leaving', 'Leaving' },
    { 4, 'wait_for_all', 'Waits for all' },
    { 8, 'first', 'First' },
    { 16, 'qdevice_registered', 'Quorum device registered' },
    { 32, 'qdevice_alive', 'Quorum device alive' },
    { 64, 'qdevice_cast_vote', 'Quorum device casts its vote' },
    { 128, 'qdevice_master_wins', 'Quorum device: the master wins' },
  }),
}
local RECONFIGURE = {
  VOTER,
  u32('votequorum.value', 'Value'),
  u8('votequorum.param', 'Parameter', { [1] = 'expected votes', [2] = 'votes', [3] = 'no more waiting for all' }),
  pad(7),
}
local QDEVICE_REGISTER = {
  u32('votequorum.qdevice.operation', 'Operation', { [0] = 'unregister', [1] = 'register' }),
  text('votequorum.qdevice.name', 'Quorum device', 255),
  pad(5),
}
local QDEVICE_RECONFIGURE = {
  text('votequorum.qdevice.old_name', 'Old quorum device', 255),
  text('votequorum.qdevice.new_name', 'New quorum device', 255),
  pad(2),
}

local CMAP = {
  u8('cmap.reason', 'Reason', { [0] = 'sync', [1] = 'new configuration version' }),
  pad(7),
  u8('cmap.items', 'Items'),
  pad(7),
  bytes('cmap.reserved', 'Reserved', 16),
}
local CMAP_ITEM = {
  u16('cmap.key_len', 'Bytes of the key'),
  pad(6),
  text('cmap.key', 'Key', 256),
  u8('cmap.value_type', 'Type of the value', {
    [0] = 'no value', [1] = 'int8', [2] = 'uint8', [3] = 'int16', [4] = 'uint16', [5] = 'int32', [6] = 'uint32',
    [7] = 'int64', [8] = 'uint64', [9] = 'float', [10] = 'double', [11] = 'string', [12] = 'binary',
  }),
  pad(7),
  u64('cmap.value_len', 'Bytes of the value'),
}
local CMAP_VALUE = bytes('cmap.value', 'Value')

local CFG_SOURCE = {
  u32('cfg.source.nodeid', 'Source node'),
  pad(4),
  u64('cfg.source.conn', 'Source connection (an address there)', nil, base.HEX),
}
local CFG_KILL = {
  u32('cfg.nodeid', 'Node to be killed'),
  pad(4),
  u16('cfg.reason_len', 'Bytes of the reason'),
  pad(6),
  text('cfg.reason', 'Reason', 256),
}
local CFG_CRYPTO = { u32('cfg.crypto_phase', 'Phase'), pad(4) }

local function read_barrier(cursor, tree)
  return 'ring ' .. walk(cursor, tree, SYNC_RING).ring
end

local function read_service_build(cursor, tree)
  local id = walk(cursor, tree, SYNC_RING).ring
  local count = walk(cursor, tree, SYNC_COUNT).service_list_entries
  if count < 0 or count > SYNC_SERVICES then fail('found %d services, expected at most %d', count, SYNC_SERVICES) end
  local services = list(cursor, tree, 'Services', count, SYNC_SERVICE)
  SYNC_UNUSED.read(cursor:sub(4 * (SYNC_SERVICES - count), 'unused entries'), tree)
  return string.format('ring %s, services {%s}', id, table.concat(services, ' '))
end

local function read_process(cursor, tree)
  local name = walk(cursor, tree, NAME).name
  return string.format('group %s, process %d', name, walk(cursor, tree, CPG_PROCESS).pid)
end

local function read_joinlist(cursor, tree)
  walk(cursor, tree, CPG_ERROR)
  local processes = {}
  while cursor:left() > 0 do
    section(cursor, tree, 'Process', function(item)
      local pid = walk(cursor, item, CPG_PID).pid
      processes[#processes + 1] = string.format('%s:%d', walk(cursor, item, NAME).name, pid)
      item:append_text(' ' .. processes[#processes])
    end)
  end
  return table.concat(processes, ' ')
end

local function read_cpg_mcast(cursor, tree)
  local name = walk(cursor, tree, NAME).name
  local size = walk(cursor, tree, CPG_LENGTH).msglen
  walk(cursor, tree, CPG_PID)
  walk(cursor, tree, CPG_SOURCE)
  if size ~= cursor:left() then fail('found a message of %d bytes, expected %d', cursor:left(), size) end
  CPG_MESSAGE.read(cursor, tree)
  return string.format('group %s, %d bytes', name, size)
end

local function read_partial_mcast(cursor, tree)
  local name = walk(cursor, tree, NAME).name
  local size = walk(cursor, tree, CPG_LENGTH).msglen
  local piece = walk(cursor, tree, CPG_PARTIAL)
  walk(cursor, tree, CPG_SOURCE)
  if piece.fraglen ~= cursor:left() then fail('found a piece of %d bytes, expected %d', cursor:left(), piece.fraglen) end
  CPG_MESSAGE.read(cursor, tree)
  return string.format('group %s, %d of %d bytes', name, piece.fraglen, size)
end

local function read_downlist(cursor, tree)
  local count = walk(cursor, tree, DOWNLIST).left_nodes
  if count > DOWNLIST_NODES then fail('found %d nodes that left, expected at most %d', count, DOWNLIST_NODES) end
  local left = list(cursor, tree, 'Left', count, DOWNLIST_NODE)
  DOWNLIST_UNUSED.read(cursor:sub(4 * (DOWNLIST_NODES - count), 'unused entries'), tree)
  return string.format('left {%s}', table.concat(left, ' '))
end

local function read_cmap(cursor, tree)
  local count = walk(cursor, tree, CMAP).items
  local keys = {}
  for i = 1, count do
    section(cursor, tree, 'Item', function(item)
      local head = walk(cursor, item, CMAP_ITEM)
      if head.value_len > UInt64(cursor:left()) then
        fail('found %d bytes, expected a value of %s', cursor:left(), tostring(head.value_len))
      end
      local size = head.value_len:tonumber()
      CMAP_VALUE.read(cursor:sub(size, 'a value'), item)
      pad(-size % 8).read(cursor, item)
      keys[i] = head.key
      item:append_text(' ' .. head.key)
    end)
  end
  return table.concat(keys, ' ')
end

local function fixed(layout, describe)
  return function(cursor, tree)
    return describe(walk(cursor, tree, layout))
  end
end

local read_nodeinfo = fixed(NODEINFO, function(info)
  return string.format('node %d, votes %d, expected %d', info.nodeid, info.votes, info.expected_votes)
end)
local read_reconfigure = fixed(RECONFIGURE, function(change)
  return string.format('node %d, value %d', change.nodeid, change.value)
end)

--- Messages of the group `sync`, by their ids: name, and what reads the body and says what is in it.
local SYNC_MESSAGES = {
  [0] = { 'Sync barrier', read_barrier },
  [1] = { 'Sync services', read_service_build },
}

--- Messages of the group `a`.
local SERVICE_MESSAGES = {
  [0x00000] = { 'cmap values', read_cmap },
  [0x10000] = { 'cfg ring re-enable', fixed(CFG_SOURCE, function() return '' end) },
  [0x10001] = { 'cfg kill', fixed(CFG_KILL, function(kill) return string.format('node %d: %s', kill.nodeid, kill.reason) end) },
  [0x10002] = { 'cfg shutdown', function() return '' end },
  [0x10003] = { 'cfg reload', fixed(CFG_SOURCE, function() return '' end) },
  [0x10004] = { 'cfg crypto', fixed(CFG_CRYPTO, function(change) return 'phase ' .. change.crypto_phase end) },
  [0x20000] = { 'cpg process joins', read_process },
  [0x20001] = { 'cpg process leaves', read_process },
  [0x20002] = { 'cpg joinlist', read_joinlist },
  [0x20003] = { 'cpg multicast', read_cpg_mcast },
  [0x20004] = { 'cpg old downlist', fixed({ DOWNLIST_OLD }, function() return '' end) },
  [0x20005] = { 'cpg downlist', read_downlist },
  [0x20006] = { 'cpg partial multicast', read_partial_mcast },
  [0x50000] = { 'votequorum node', read_nodeinfo },
  [0x50001] = { 'votequorum reconfigure', read_reconfigure },
  [0x50002] = { 'votequorum device', fixed(QDEVICE_REGISTER, function(device) return device.name end) },
  [0x50003] = { 'votequorum device renamed', fixed(QDEVICE_RECONFIGURE, function(device) return device.new_name end) },
}

--- A message of one of corosync's groups; what it is in a line.
local function dissect_request(cursor, tree, messages)
  local all = cursor:left()
  local start = cursor.at
  local request = walk(cursor, tree, REQUEST)
  if request.size ~= all then fail('found a message of %d bytes, expected %d', all, request.size) end
  if messages == SERVICE_MESSAGES then
    local range = cursor.tvb(start, 4)
    local halves = cursor.is_little and { range(2, 2), range(0, 2) } or { range(0, 2), range(2, 2) }
    cursor:show(tree, SERVICE, halves[1]):set_generated()
    cursor:show(tree, FUNCTION, halves[2]):set_generated()
  end
  local message = messages[request.id]
  if message == nil then
    REQUEST_BODY.read(cursor, tree)
    return string.format('message 0x%x', request.id)
  end
  local name, read = message[1], message[2]
  tree:add(MESSAGE_NAME, cursor.tvb(start, 4), name):set_generated()
  local what = read(cursor, tree)
  cursor:finish(name)
  return what == '' and name or name .. ' ' .. what
end

-- Messages in multicast packets -----------------------------------------------------------------------------------------------

local PACKED = {
  i16('pg.version', 'Version'),
  i16('pg.type', 'Type'),
  u8('pg.fragmented', 'Last piece goes on (its number, 0: no)'),
  u8('pg.continuation', 'First piece goes on from (its number, 0: no)'),
  u16('pg.msg_count', 'Pieces'),
}
local PIECE_BYTES = u16('pg.msg_len', 'Bytes')
local FRAGMENT = bytes('pg.fragment', 'Part of a message')
local FRAGMENT_FRAME = register(ProtoField.framenum, 'pg.fragment_in', 'Part in', base.NONE)
local REASSEMBLED_BYTES = register(ProtoField.uint32, 'pg.reassembled.length', 'Bytes put together', base.DEC)
local GROUP_COUNT = u16('pg.group_count', 'Groups')
local GROUP_BYTES = u16('pg.group_len', 'Bytes of the name')
local GROUP_FIELD = register(ProtoField.string, 'pg.group', 'Group')
local OTHER_MESSAGE = bytes('pg.message', 'Message')

--- A whole message: group names, then what is for these. What it is in a line.
local function dissect_message(cursor, tree)
  local count = GROUP_COUNT.read(cursor, tree)
  checked_count(cursor, count, 2, 'lengths of group names')
  local sizes = list(cursor, tree, 'Lengths of group names', count, GROUP_BYTES)
  local names = {}
  for i, size in ipairs(sizes) do
    local range = cursor:take(size, 'a group name')
    names[i] = range:string()
    tree:add(GROUP_FIELD, range, names[i])
  end
  if names[1] == 'sync' then return dissect_request(cursor, tree, SYNC_MESSAGES) end
  if names[1] == 'a' then return dissect_request(cursor, tree, SERVICE_MESSAGES) end
  OTHER_MESSAGE.read(cursor, tree)
  return 'message for ' .. table.concat(names, ' ')
end

--- Packets, by originator and its running count, with those pieces of theirs that are not whole messages: of each the copy that
--- came last, whoever sent it.
local packets = {}
--- Messages put together, by the frame with the last piece and the packet in it: bytes, and the frames of all pieces.
local reassembled = {}

function totem31.init()
  packets = {}
  reassembled = {}
end

--- As many packets of an originator may lie between two pieces of a message: those of a recovery, or of a synchronisation.
local MOST_BETWEEN = 64

--- Puts the message together whose last piece is the first of that packet; nil while a piece has not been seen.
local function reassemble(originator, count)
  local sent = packets[originator]
  local packet = sent[count]
  local pieces, frames = { packet.first }, { packet.frame }
  local wanted = packet.continuation
  local between = 0
  while between <= MOST_BETWEEN do
    count = count - 1
    packet = sent[count]
    if packet == nil then return nil end
    if packet.fragmented ~= wanted then
      between = between + 1
    else
      table.insert(pieces, 1, packet.last)
      table.insert(frames, 1, packet.frame)
      if packet.pieces > 1 or packet.continuation == 0 then
        local whole = ByteArray.new()
        for _, piece in ipairs(pieces) do whole:append(piece) end
        return { bytes = whole, frames = frames }
      end
      wanted, between = packet.continuation, 0
    end
  end
  return nil
end

local function dissect_reassembled(originator, count, is_little, pinfo, tree)
  local place = string.format('%d:%d:%d', pinfo.number, originator, count)
  reassembled[place] = reassembled[place] or reassemble(originator, count)
  local whole = reassembled[place]
  if whole == nil then return 'end of a message' end
  local tvb = whole.bytes:tvb('Message put together')
  local item = tree:add(tvb(), 'Message put together')
  item:add(REASSEMBLED_BYTES, whole.bytes:len()):set_generated()
  for _, frame in ipairs(whole.frames) do
    item:add(FRAGMENT_FRAME, frame):set_generated()
  end
  local inner = new_cursor(tvb, 0, tvb:len(), is_little)
  local what = dissect_message(inner, item)
  inner:finish('the message')
  item:append_text(': ' .. what)
  return what
end

--- What a normal multicast packet carries. Gives what its messages are, one line for each.
local function dissect_packed(cursor, pinfo, tree, mcast)
  local head = walk(cursor, tree, PACKED)
  local count = checked_count(cursor, head.msg_count, 2, 'lengths')
  if count == 0 then fail('found no piece of a message, expected at least one') end
  local sizes = list(cursor, tree, 'Lengths of pieces', count, PIECE_BYTES)
  local sum = 0
  for _, size in ipairs(sizes) do sum = sum + size end
  if sum ~= cursor:left() then fail('found %d bytes of messages, expected %d', cursor:left(), sum) end

  local sent = packets[mcast.system_from] or {}
  packets[mcast.system_from] = sent
  if not pinfo.visited then
    sent[mcast.this_seqno] = {
      frame = pinfo.number,
      pieces = count,
      fragmented = head.fragmented,
      continuation = head.continuation,
      first = head.continuation ~= 0 and cursor.tvb(cursor.at, sizes[1]):bytes() or nil,
      last = head.fragmented ~= 0 and cursor.tvb(cursor.stop - sizes[count], sizes[count]):bytes() or nil,
    }
  end

  local lines = {}
  for i, size in ipairs(sizes) do
    local piece = cursor:sub(size, 'a piece')
    local goes_on_from = i == 1 and head.continuation ~= 0
    local goes_on = i == count and head.fragmented ~= 0
    section(piece, tree, string.format('Piece %d of %d', i, count), function(item)
      if not goes_on_from and not goes_on then
        lines[i] = dissect_message(piece, item)
        piece:finish('the message')
      else
        FRAGMENT.read(piece, item)
        if not goes_on_from then
          lines[i] = 'begin of a message'
        elseif goes_on then
          lines[i] = 'middle of a message'
        else
          lines[i] = dissect_reassembled(mcast.system_from, mcast.this_seqno, piece.is_little, pinfo, item)
        end
      end
      item:append_text(': ' .. lines[i])
    end)
  end
  return lines
end

local dissect_packet

--- A multicast packet: messages, or in recovery a whole packet of the old ring.
local function dissect_mcast(cursor, tree, header, pinfo)
  local mcast = walk(cursor, tree, MCAST)
  local where = string.format('ring %s, seq %d', mcast.ring, mcast.seq)
  if header.encapsulated == NORMAL then
    local lines = dissect_packed(cursor, pinfo, tree, mcast)
    return string.format('%s, by %d: %s', where, mcast.system_from, table.concat(lines, '; '))
  end
  if header.encapsulated ~= IN_RECOVERY then
    fail('found encapsulated %d, expected %d or %d', header.encapsulated, IN_RECOVERY, NORMAL)
  end
  -- The count of this packet is its sender's; what is inside has that of the old one.
  if not pinfo.visited then
    packets[mcast.system_from] = packets[mcast.system_from] or {}
    packets[mcast.system_from][mcast.this_seqno] = { fragmented = -1 }
  end
  local inner = section(cursor, tree, 'Packet of the old ring', function(item)
    return dissect_packet(cursor, pinfo, item, true)
  end)
  return string.format('%s, recovers %s', where, inner)
end

local BODIES = {
  [Type.ORF_TOKEN] = dissect_token,
  [Type.MCAST] = dissect_mcast,
  [Type.MERGE_DETECT] = dissect_merge_detect,
  [Type.JOIN] = dissect_join,
  [Type.COMMIT_TOKEN] = dissect_commit_token,
  [Type.HOLD_CANCEL] = dissect_hold_cancel,
}

--- A packet with its header: what it is in a line. `is_inside` another one, in recovery.
function dissect_packet(cursor, pinfo, tree, is_inside)
  local magic = cursor:peek(HEADER_BYTES, 'the header')(0, 2):uint()
  if magic ~= MAGIC and magic ~= MAGIC_SWAPPED then
    fail('found magic 0x%04x, expected 0x%04x in one of the two byte orders', magic, MAGIC)
  end
  -- Whoever sent the old packet may have had another byte order than whoever recovers it.
  cursor.is_little = magic == MAGIC_SWAPPED
  local header = section(cursor, tree, 'Header', function(item)
    return walk(cursor, item, HEADER)
  end)
  if header.version ~= VERSION then fail('found version %d, expected %d', header.version, VERSION) end
  local dissect = BODIES[header.type]
  if dissect == nil then fail('found type %d, expected 0 to 5', header.type) end
  if is_inside and (header.type ~= Type.MCAST or header.encapsulated ~= NORMAL) then
    fail('found a packet of type %d inside another, expected a normal multicast', header.type)
  end
  local name = TYPE_NAMES[header.type]
  local what = section(cursor, tree, name, function(item)
    return dissect(cursor, item, header, pinfo)
  end)
  cursor:finish('the packet')
  return string.format('%s: %s', name, what)
end

local REST = register(ProtoField.bytes, 'rest', 'Bytes that were not understood')

totem31.fields = fields

function totem31.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = 'Totem'
  local root = tree:add(totem31, tvb())
  local cursor = new_cursor(tvb, 0, tvb:len(), true)
  local is_whole, result = pcall(dissect_packet, cursor, pinfo, root, false)
  if is_whole then
    root:append_text(', ' .. result)
    pinfo.cols.info = result
    return tvb:len()
  end
  -- An error of this file is Wireshark's to show.
  if getmetatable(result) ~= Malformed then error(result) end
  local understood = cursor.read_up_to.at
  if understood < tvb:len() then root:add(REST, tvb(understood)) end
  root:add_proto_expert_info(malformed, result.text)
  pinfo.cols.info = 'Malformed: ' .. result.text
  return tvb:len()
end

for _, port in ipairs(UDP_PORTS) do
  DissectorTable.get('udp.port'):add(port, totem31)
end

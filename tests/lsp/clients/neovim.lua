-- Opens the file named in DFOPT_FILE, applies one kind of code action on one line, and writes the file.
-- DFOPT_ACTION: a code action kind; DFOPT_LINE: from 1. Says what went wrong on standard error and leaves with 1.
local file, kind, line = os.getenv("DFOPT_FILE"), os.getenv("DFOPT_ACTION"), tonumber(os.getenv("DFOPT_LINE"))
local function fail(why)
  io.stderr:write(why .. "\n")
  vim.cmd("cquit 1")
end
vim.cmd.edit(vim.fn.fnameescape(file))
local buffer = vim.api.nvim_get_current_buf()
vim.bo[buffer].filetype = "dockerfile"
if not vim.wait(120000, function() return #vim.diagnostic.get(buffer) > 0 end, 20) then fail("no diagnostics came") end
vim.api.nvim_win_set_cursor(0, { line, 0 })
local before = vim.api.nvim_buf_get_changedtick(buffer)
vim.lsp.buf.code_action({
  context = { only = { kind }, diagnostics = {} },
  apply = true,
  filter = function(action) return kind ~= "quickfix" or action.isPreferred end,
})
if not vim.wait(120000, function() return vim.api.nvim_buf_get_changedtick(buffer) ~= before end, 20) then
  fail("no edit came")
end
vim.cmd.write()
vim.cmd("qall")

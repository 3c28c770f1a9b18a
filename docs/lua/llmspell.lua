---@meta
-- Generated from the rows of the script API. Do not edit.

---@type table<string|integer, any>
ARGS = {}

--- JSON text to values and back. Arrays that come from JSON stay arrays when empty; floats keep their fraction.
---@class JSONlib
---@field null any
JSON = {}

--- Reads a JSON text. A member that is null is absent, a null in an array is JSON.null. Raises parse_error with line and column in details.
---@param text string 
---@param options? { null?: "drop"|"keep", max_depth?: integer } 
---@return any? value
function JSON.parse(text, options) end

--- Reads a JSON text. A member that is null is absent, a null in an array is JSON.null. Raises parse_error with line and column in details.
---@param text string 
---@param options? { null?: "drop"|"keep", max_depth?: integer } 
---@return any? value
function JSON.decode(text, options) end

--- Writes a value as JSON with sorted keys. Raises not_serializable naming the place of what is no data.
---@param value? any 
---@param options? { pretty?: boolean, indent?: integer, lenient?: boolean }|boolean true stands for {pretty=true}
---@return string text
function JSON.stringify(value, options) end

--- Writes a value as JSON with sorted keys. Raises not_serializable naming the place of what is no data.
---@param value? any 
---@param options? { pretty?: boolean, indent?: integer, lenient?: boolean }|boolean true stands for {pretty=true}
---@return string text
function JSON.encode(value, options) end

--- Marks a table as an array, so that it is [] when empty. Without one it makes an empty array.
---@param t? table 
---@return table 
function JSON.array(t) end

--- Takes the mark of an array off a table. Without one it makes an empty table.
---@param t? table 
---@return table 
function JSON.object(t) end

--- Tells whether a table is written as a JSON array.
---@param t? any 
---@return boolean 
function JSON.is_array(t) end

--- Runs a query in the jq language on a value.
---@param value? any 
---@param query string 
---@return any[] results
function JSON.query(value, query) end

--- Checks a value against a JSON Schema (draft 2020-12).
---@param value? any 
---@param schema table|boolean 
---@return boolean ok
---@return any[] problems the first problem found, {path, message}; path points into the schema
function JSON.validate(value, schema) end

--- Applies a JSON merge patch (RFC 7386): members of patch replace those of value, JSON.null removes one.
---@param value? any 
---@param patch? any 
---@return any merged
function JSON.merge(value, patch) end

--- Measures a stretch of the script.
---@class Timer
---@field id string 
---@field name string 
local Timer = {}

--- Ends the measurement; a second call gives the same.
---@return number ms
function Timer:stop() end

--- Notes a time without ending the measurement.
---@param label? string 
---@return number ms
function Timer:lap(label) end

--- The time so far.
---@return number ms
function Timer:elapsed() end

--- Messages to the structured log, timers, dumps and figures of the interpreter. Settings hold for the session.
---@class Debuglib
Debug = {}

--- Writes a message to the structured log.
---@param level "trace"|"debug"|"info"|"warn"|"error" one of trace, debug, info, warn, error
---@param message string 
---@param module? string where the message comes from, for filters
function Debug.log(level, message, module) end

--- Writes a message with data; what is no data is shown as text.
---@param level "trace"|"debug"|"info"|"warn"|"error" one of trace, debug, info, warn, error
---@param message string 
---@param data? any 
---@param module? string where the message comes from, for filters
function Debug.logWithData(level, message, data, module) end

--- Writes a message with data; what is no data is shown as text.
---@param level "trace"|"debug"|"info"|"warn"|"error" one of trace, debug, info, warn, error
---@param message string 
---@param data? any 
---@param module? string where the message comes from, for filters
function Debug.log_with_data(level, message, data, module) end

--- Writes a message of level trace.
---@param message string 
---@param module? string where the message comes from, for filters
function Debug.trace(message, module) end

--- Writes a message of level debug.
---@param message string 
---@param module? string where the message comes from, for filters
function Debug.debug(message, module) end

--- Writes a message of level info.
---@param message string 
---@param module? string where the message comes from, for filters
function Debug.info(message, module) end

--- Writes a message of level warn.
---@param message string 
---@param module? string where the message comes from, for filters
function Debug.warn(message, module) end

--- Writes a message of level error.
---@param message string 
---@param module? string where the message comes from, for filters
function Debug.error(message, module) end

--- Sets the least level that is written.
---@param level "trace"|"debug"|"info"|"warn"|"error"|"off" one of trace, debug, info, warn, error, off
---@return boolean 
function Debug.setLevel(level) end

--- Sets the least level that is written.
---@param level "trace"|"debug"|"info"|"warn"|"error"|"off" one of trace, debug, info, warn, error, off
---@return boolean 
function Debug.set_level(level) end

--- The least level that is written.
---@return string 
function Debug.getLevel() end

--- The least level that is written.
---@return string 
function Debug.get_level() end

--- Turns all messages of the session on or off.
---@param enabled boolean 
function Debug.setEnabled(enabled) end

--- Turns all messages of the session on or off.
---@param enabled boolean 
function Debug.set_enabled(enabled) end

--- Tells whether messages are written.
---@return boolean 
function Debug.isEnabled() end

--- Tells whether messages are written.
---@return boolean 
function Debug.is_enabled() end

--- The last messages, newest last.
---@param limit? integer at least 0; default 100
---@return any[] each {timestamp, level, message, module?, metadata?}
function Debug.getCapturedEntries(limit) end

--- The last messages, newest last.
---@param limit? integer at least 0; default 100
---@return any[] each {timestamp, level, message, module?, metadata?}
function Debug.get_captured_entries(limit) end

--- Forgets the captured messages.
function Debug.clearCaptured() end

--- Forgets the captured messages.
function Debug.clear_captured() end

--- Shows or hides the messages of modules; the last filter that matches decides.
---@param pattern string 
---@param enabled boolean 
function Debug.addModuleFilter(pattern, enabled) end

--- Shows or hides the messages of modules; the last filter that matches decides.
---@param pattern string 
---@param enabled boolean 
function Debug.add_module_filter(pattern, enabled) end

--- As addModuleFilter, with the kind of pattern.
---@param pattern string 
---@param type "exact"|"glob"|"regex" one of exact, glob, regex
---@param enabled boolean 
function Debug.addAdvancedFilter(pattern, type, enabled) end

--- As addModuleFilter, with the kind of pattern.
---@param pattern string 
---@param type "exact"|"glob"|"regex" one of exact, glob, regex
---@param enabled boolean 
function Debug.add_advanced_filter(pattern, type, enabled) end

--- Removes the filters of a pattern.
---@param pattern string 
---@return boolean 
function Debug.removeModuleFilter(pattern) end

--- Removes the filters of a pattern.
---@param pattern string 
---@return boolean 
function Debug.remove_module_filter(pattern) end

--- Removes all filters.
function Debug.clearModuleFilters() end

--- Removes all filters.
function Debug.clear_module_filters() end

--- Shows or hides messages that no filter matches.
---@param enabled boolean 
function Debug.setDefaultFilterEnabled(enabled) end

--- Shows or hides messages that no filter matches.
---@param enabled boolean 
function Debug.set_default_filter_enabled(enabled) end

--- The filters in force.
---@return table {default_enabled, total_rules, rules[]}
function Debug.getFilterSummary() end

--- The filters in force.
---@return table {default_enabled, total_rules, rules[]}
function Debug.get_filter_summary() end

--- Starts a timer.
---@param name string 
---@return Timer 
function Debug.timer(name) end

--- Notes an event of a timer; false if there is no such timer.
---@param timer_id string 
---@param name string 
---@param data? any 
---@return boolean 
function Debug.recordEvent(timer_id, name, data) end

--- Notes an event of a timer; false if there is no such timer.
---@param timer_id string 
---@param name string 
---@param data? any 
---@return boolean 
function Debug.record_event(timer_id, name, data) end

--- Shows a value of any type as text; cycles are cut.
---@param value? any 
---@param label? string 
---@return string 
function Debug.dump(value, label) end

--- As dump, on one line.
---@param value? any 
---@param label? string 
---@return string 
function Debug.dumpCompact(value, label) end

--- As dump, on one line.
---@param value? any 
---@param label? string 
---@return string 
function Debug.dump_compact(value, label) end

--- As dump, with larger limits.
---@param value? any 
---@param label? string 
---@return string 
function Debug.dumpVerbose(value, label) end

--- As dump, with larger limits.
---@param value? any 
---@param label? string 
---@return string 
function Debug.dump_verbose(value, label) end

--- As dump, with limits of your own.
---@param value? any 
---@param options? { max_depth?: integer, indent_size?: integer, max_string_length?: integer, max_array_elements?: integer, max_table_pairs?: integer, show_types?: boolean, compact_mode?: boolean } 
---@param label? string 
---@return string 
function Debug.dumpWithOptions(value, options, label) end

--- As dump, with limits of your own.
---@param value? any 
---@param options? { max_depth?: integer, indent_size?: integer, max_string_length?: integer, max_array_elements?: integer, max_table_pairs?: integer, show_types?: boolean, compact_mode?: boolean } 
---@param label? string 
---@return string 
function Debug.dump_with_options(value, options, label) end

--- Counted memory of the interpreter.
---@return table {used_bytes, allocated_bytes, limit_bytes, collections}
function Debug.memoryStats() end

--- Counted memory of the interpreter.
---@return table {used_bytes, allocated_bytes, limit_bytes, collections}
function Debug.memory_stats() end

--- memoryStats with the time.
---@return table 
function Debug.memorySnapshot() end

--- memoryStats with the time.
---@return table 
function Debug.memory_snapshot() end

--- The stack of the caller as text.
---@param options? { max_depth?: integer, capture_locals?: boolean, capture_upvalues?: boolean, include_source?: boolean } 
---@return string 
function Debug.stackTrace(options) end

--- The stack of the caller as text.
---@param options? { max_depth?: integer, capture_locals?: boolean, capture_upvalues?: boolean, include_source?: boolean } 
---@return string 
function Debug.stack_trace(options) end

--- The stack of the caller as JSON text.
---@param options? { max_depth?: integer, capture_locals?: boolean, capture_upvalues?: boolean, include_source?: boolean } 
---@return string 
function Debug.stackTraceJson(options) end

--- The stack of the caller as JSON text.
---@param options? { max_depth?: integer, capture_locals?: boolean, capture_upvalues?: boolean, include_source?: boolean } 
---@return string 
function Debug.stack_trace_json(options) end

--- The session's timers as text.
---@return string 
function Debug.performanceReport() end

--- The session's timers as text.
---@return string 
function Debug.performance_report() end

--- The session's timers as JSON text.
---@return string 
function Debug.jsonReport() end

--- The session's timers as JSON text.
---@return string 
function Debug.json_report() end

--- The session's timers as folded stacks: name and microseconds.
---@return string 
function Debug.flameGraph() end

--- The session's timers as folded stacks: name and microseconds.
---@return string 
function Debug.flame_graph() end

--- A logger that adds fields to every message.
---@class Logger
local Logger = {}

--- Writes a message of level trace.
---@param message string 
---@param fields? table 
function Logger:trace(message, fields) end

--- Writes a message of level debug.
---@param message string 
---@param fields? table 
function Logger:debug(message, fields) end

--- Writes a message of level info.
---@param message string 
---@param fields? table 
function Logger:info(message, fields) end

--- Writes a message of level warn.
---@param message string 
---@param fields? table 
function Logger:warn(message, fields) end

--- Writes a message of level error.
---@param message string 
---@param fields? table 
function Logger:error(message, fields) end

--- A logger that adds fields to every message.
---@param fields table 
---@return Logger 
function Logger:with(fields) end

--- Messages with fields to the structured log.
---@class Loggerlib
Logger = {}

--- Writes a message of level trace.
---@param message string 
---@param fields? table 
function Logger.trace(message, fields) end

--- Writes a message of level debug.
---@param message string 
---@param fields? table 
function Logger.debug(message, fields) end

--- Writes a message of level info.
---@param message string 
---@param fields? table 
function Logger.info(message, fields) end

--- Writes a message of level warn.
---@param message string 
---@param fields? table 
function Logger.warn(message, fields) end

--- Writes a message of level error.
---@param message string 
---@param fields? table 
function Logger.error(message, fields) end

--- A logger that adds fields to every message.
---@param fields table 
---@return Logger 
function Logger.with(fields) end

--- The execution in progress. Fields: id, session_id (nil without a session), tenant, script, started_at.
---@class Runlib
Run = {}

--- The time of the run's clock in Unix seconds.
---@return number? 
function Run.now() end

--- The time at which the execution ends; nil without a limit.
---@return string? timestamp
function Run.deadline() end

--- Milliseconds until the deadline; nil without a limit.
---@return number? 
function Run.remaining_ms() end

--- Waits. The script is suspended; an interrupt ends it.
---@param ms number 0 to 8.64e+07
function Run.sleep(ms) end

--- Raises an error value with a code of its own.
---@param code string 
---@param message string 
---@param details? table 
function Run.fail(code, message, details) end

--- The effective configuration, read only, with secrets shown as [redacted].
---@class Configlib
Config = {}

--- The value at a path, else the default. Without a path the whole configuration.
---@param path? string dotted: a.b.c
---@param default? any 
---@return any 
function Config.get(path, default) end

--- A section as a table. Raises not_found.
---@param name string 
---@return table 
function Config.getSection(name) end

--- A section as a table. Raises not_found.
---@param name string 
---@return table 
function Config.get_section(name) end

--- The configuration of a provider, nil if there is none.
---@param name string 
---@return table? 
function Config.getProvider(name) end

--- The configuration of a provider, nil if there is none.
---@param name string 
---@return table? 
function Config.get_provider(name) end

--- The names of the configured providers.
---@return any[] 
function Config.listProviders() end

--- The names of the configured providers.
---@return any[] 
function Config.list_providers() end

--- The ceilings for scripts: [runtime.security].
---@return table 
function Config.getSecurity() end

--- The ceilings for scripts: [runtime.security].
---@return table 
function Config.get_security() end

--- The configuration of the tools: [tools].
---@return table 
function Config.getTools() end

--- The configuration of the tools: [tools].
---@return table 
function Config.get_tools() end

--- The script engine: "lua".
---@return string 
function Config.getDefaultEngine() end

--- The script engine: "lua".
---@return string 
function Config.get_default_engine() end

--- The whole configuration as JSON text.
---@return string 
function Config.toJson() end

--- The whole configuration as JSON text.
---@return string 
function Config.to_json() end

--- Tells whether the policy lets scripts use files, or a file.
---@param path? string a file or folder
---@return boolean 
function Config.isFileAccessAllowed(path) end

--- Tells whether the policy lets scripts use files, or a file.
---@param path? string a file or folder
---@return boolean 
function Config.is_file_access_allowed(path) end

--- Tells whether the policy lets scripts use the network, or reach a host.
---@param host? string 
---@return boolean 
function Config.isNetworkAccessAllowed(host) end

--- Tells whether the policy lets scripts use the network, or reach a host.
---@param host? string 
---@return boolean 
function Config.is_network_access_allowed(host) end

--- What the policy allows, as booleans.
---@return table 
function Config.getPermissions() end

--- What the policy allows, as booleans.
---@return table 
function Config.get_permissions() end

--- Values that outlive the script, in scopes: global, session, agent:ID, tool:ID, workflow:ID, custom:ID and so on; another word is a custom scope. A write is durable when the call returns.
---@class Statelib
State = {}

--- Stores a value and returns its version. Raises conflict if if_version does not hold, too_large above [runtime.state_persistence] max_state_size_bytes.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@param value? any anything but nil, functions and handles
---@param options? { ttl_seconds?: number, if_version?: integer } 
---@return integer version positive, strictly rising, never used again
function State.save(scope, key, value, options) end

--- Returns the value, or default if the key is absent or has expired.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@param default? any 
---@return any? value
function State.load(scope, key, default) end

--- Removes a key and tells whether it existed.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@return boolean existed
function State.delete(scope, key) end

--- Lists the keys of a scope, sorted.
---@param scope string global, or kind:id
---@param prefix? string 
---@return any[] keys as given, without scope
function State.list_keys(scope, prefix) end

--- Returns a value of the global or another scope, and its version (0 = absent).
---@param key string 1 to 256 bytes of UTF-8
---@param options? { scope?: string, default?: any } 
---@return any? value
---@return integer version
function State.get(key, options) end

--- Stores a value in the global or another scope; nil deletes the key and returns 0.
---@param key string 1 to 256 bytes of UTF-8
---@param value? any 
---@param options? { scope?: string, ttl_seconds?: number, if_version?: integer } 
---@return integer version positive, strictly rising, never used again
function State.set(key, value, options) end

--- Lists keys with what is known about them.
---@param scope? string default "global"
---@param options? { prefix?: string, limit?: integer, after?: string } 
---@return any[] {key, version, size, updated_at, expires_at?}
function State.list(scope, options) end

--- Compare and swap: writes only over the expected version and never raises on a mismatch.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@param expected_version integer 0 = absent; at least 0
---@param value? any 
---@param options? { ttl_seconds?: number } 
---@return boolean ok
---@return integer version the current one
function State.cas(scope, key, expected_version, value, options) end

--- Replaces a value by what fn(old) returns; nil deletes the key. fn runs again when another writer was first, at most 16 times; then raises conflict.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@param fn function fn(old) returns the new value; old is nil if absent
---@param options? { ttl_seconds?: number, if_version?: integer } 
---@return any? value the new value
function State.update(scope, key, fn, options) end

--- Adds to a number, 0 if absent, in one atomic step. Raises invalid_state if the value is no number.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@param by? number default 1
---@param options? { ttl_seconds?: number, if_version?: integer } 
---@return number sum
function State.incr(scope, key, by, options) end

--- Tells whether there is a value under a key.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@return boolean 
function State.exists(scope, key) end

--- Returns the seconds until a key expires, nil if it does not. With seconds sets them, 0 removes the expiry; raises not_found if there is no value.
---@param scope string global, or kind:id
---@param key string 1 to 256 bytes of UTF-8
---@param seconds? number 0 to 3.2e+09
---@return number? seconds
function State.ttl(scope, key, seconds) end

--- Deletes the keys of a scope and returns how many there were.
---@param scope string global, or kind:id
---@param prefix? string 
---@return integer count
function State.clear(scope, prefix) end

--- Returns a value of scope agent:<id>, nil if absent.
---@param id string name of the component
---@param key string 1 to 256 bytes of UTF-8
---@return any? value
function State.agent_get(id, key) end

--- Stores a value in scope agent:<id>.
---@param id string name of the component
---@param key string 1 to 256 bytes of UTF-8
---@param value? any 
---@return integer version positive, strictly rising, never used again
function State.agent_set(id, key, value) end

--- Returns a value of scope tool:<id>, nil if absent.
---@param id string name of the component
---@param key string 1 to 256 bytes of UTF-8
---@return any? value
function State.tool_get(id, key) end

--- Stores a value in scope tool:<id>.
---@param id string name of the component
---@param key string 1 to 256 bytes of UTF-8
---@param value? any 
---@return integer version positive, strictly rising, never used again
function State.tool_set(id, key, value) end

--- Returns a value of scope workflow:<id>, nil if absent.
---@param id string name of the component
---@param step string 1 to 256 bytes of UTF-8
---@return any? value
function State.workflow_get(id, step) end

--- Lists the keys of scope workflow:<id>, sorted.
---@param id string name of the component
---@return any[] 
function State.workflow_list(id) end

--- Handle of a tool.
---@class Tool
---@field name string 
---@field description string 
---@field version string 
---@field category string 
---@field schema table {name, description, parameters[{name, type, description, required, default?, enum?}]}
local Tool = {}

--- Runs the tool, as Tool.execute does.
---@param params? table parameters by name, as the tool's schema says
---@return table output success, operation?, message?, result, text, metadata{tool, execution_time_ms, response}
function Tool:execute(params) end

--- Returns the JSON Schema of the parameters.
---@return table 
function Tool:getSchema() end

--- Returns the JSON Schema of the parameters.
---@return table 
function Tool:get_schema() end

--- Tools: built-in ones and those that scripts register. Tool.calculator is the handle of the tool calculator; in names, _ stands for -.
---@class Toollib
Tool = {}

--- Lists the tools, also those that policy disables.
---@param filter? { category?: string, tag?: string, enabled?: boolean } 
---@return any[] {name, description, version, category, enabled, policy?}, by name; policy is the gate that disables the tool
function Tool.list(filter) end

--- Finds tools by a filter: the same as list.
---@param filter? { category?: string, tag?: string, enabled?: boolean } 
---@return any[] {name, description, version, category, enabled, policy?}, by name; policy is the gate that disables the tool
function Tool.discover(filter) end

--- Returns the handle of a tool, nil if there is none.
---@param name string name of the tool
---@return Tool? 
function Tool.get(name) end

--- Returns the JSON Schema of a tool's parameters. Raises tool_not_found.
---@param name string name of the tool
---@return table 
function Tool.schema(name) end

--- Tells whether there is a tool of this name.
---@param name string name of the tool
---@return boolean 
function Tool.exists(name) end

--- Lists the categories that tools have, sorted.
---@return any[] names
function Tool.categories() end

--- Runs a tool. A verdict such as HTTP 404 or an invalid document is success=false. Raises tool_not_found, invalid_argument, tool_failed, policy_denied, timeout.
---@param name string name of the tool
---@param params? table parameters by name, as the tool's schema says
---@return table output success, operation?, message?, result, text, metadata{tool, execution_time_ms, response}
function Tool.execute(name, params) end

--- Defines a tool that this session's scripts, agents and workflows can call. Raises already_exists.
---@param definition { name: string, description: string, handler: function, parameters?: table, category?: string, version?: string, timeout_ms?: integer, parallel_safe?: boolean, replace?: boolean } 
---@return Tool 
function Tool.register(definition) end

--- Removes a tool that this session registered; false if there is none.
---@param name string name of the tool
---@return boolean 
function Tool.unregister(name) end

--- The configured model providers.
---@class Providerlib
Provider = {}

--- All providers, without network or secrets.
---@return any[] entries {name, provider, model, type, enabled, default, capabilities}
function Provider.list() end

--- One provider, nil if there is none of that name.
---@param name string Name as in list(), or the provider's.
---@return table? 
function Provider.get(name) end

--- What a provider's models can do, nil if there is none of that name.
---@param name string Name as in list(), or the provider's.
---@return table? 
function Provider.getCapabilities(name) end

--- What a provider's models can do, nil if there is none of that name.
---@param name string Name as in list(), or the provider's.
---@return table? 
function Provider.get_capabilities(name) end

--- Whether a provider is enabled and has its key.
---@param name string Name as in list(), or the provider's.
---@return boolean 
function Provider.isAvailable(name) end

--- Whether a provider is enabled and has its key.
---@param name string Name as in list(), or the provider's.
---@return boolean 
function Provider.is_available(name) end

--- Asks a provider for its models.
---@param name string Name as in list(), or the provider's.
---@return any[] entries {id, context_tokens?, price_input?, price_output?}, prices in USD per million tokens
function Provider.models(name) end

--- Turns texts into vectors.
---@param text string|string[] A text or an array of texts.
---@param opts? { provider?: string, model?: string } 
---@return table {vectors, model, dimensions, usage}
function Provider.embed(text, opts) end

--- A model with instructions, a conversation and tools.
---@class Agent
---@field name string 
---@field type string 
---@field model string 
---@field provider string 
---@field description string 
local Agent = {}

--- As execute, telling the model the data of a context in the system message.
---@param input string|{ text?: string, prompt?: string, input?: string, instruction?: string, parameters?: table, context?: table, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } The question, or a table with it and fields for this call.
---@param context_id string 
---@return table AgentOutput
function Agent:execute_with_context(input, context_id) end

--- Asks the agent and runs its tools until it answers.
---@param input string|{ text?: string, prompt?: string, input?: string, instruction?: string, parameters?: table, context?: table, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } The question, or a table with it and fields for this call.
---@return table AgentOutput; tostring gives its text
function Agent:execute(input) end

--- As execute, returning the text.
---@param input string|{ text?: string, prompt?: string, input?: string, instruction?: string, parameters?: table, context?: table, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } The question, or a table with it and fields for this call.
---@param opts? { temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } Fields for this call.
---@return string 
function Agent:complete(input, opts) end

--- As execute, handing out chunks as they come: to fn, or to a for loop.
---@param input string|{ text?: string, prompt?: string, input?: string, instruction?: string, parameters?: table, context?: table, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } The question, or a table with it and fields for this call.
---@param fn? function Gets each chunk {type, index, text?, tool?, usage?}; returning false stops.
---@param opts? { temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } Fields for this call.
---@return any AgentOutput with fn, else an iterator for `for chunk in`
function Agent:stream(input, fn, opts) end

--- As stream with fn, counting the chunks.
---@param input string|{ text?: string, prompt?: string, input?: string, instruction?: string, parameters?: table, context?: table, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } The question, or a table with it and fields for this call.
---@param fn function Gets each chunk {type, index, text?, tool?, usage?}; returning false stops.
---@return table {success, chunks_received, output}
function Agent:invokeStream(input, fn) end

--- As stream with fn, counting the chunks.
---@param input string|{ text?: string, prompt?: string, input?: string, instruction?: string, parameters?: table, context?: table, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } The question, or a table with it and fields for this call.
---@param fn function Gets each chunk {type, index, text?, tool?, usage?}; returning false stops.
---@return table {success, chunks_received, output}
function Agent:invoke_stream(input, fn) end

--- The conversation so far.
---@return any[] messages {role, content, tool_calls?, tool_call_id?, timestamp}
function Agent:history() end

--- Forgets the conversation.
function Agent:clear_history() end

--- Replaces the conversation; every tool call must be followed by its result.
---@param messages table[] 
function Agent:set_history(messages) end

--- An agent with the same definition and history.
---@param name? string 
---@return Agent 
function Agent:fork(name) end

--- Tokens, calls and cost of all executions.
---@return table 
function Agent:usage() end

--- Keeps the conversation in State under the agent's name; it outlives the session.
function Agent:save_state() end

--- Replaces the conversation by the kept one; false if there is none.
---@return boolean 
function Agent:load_state() end

--- Forgets the kept conversation and tells whether there was one.
---@return boolean 
function Agent:delete_state() end

--- Runs a tool that the agent may use.
---@param name string 
---@param params? table 
---@return table ToolOutput
function Agent:invokeTool(name, params) end

--- Runs a tool that the agent may use.
---@param name string 
---@param params? table 
---@return table ToolOutput
function Agent:invoke_tool(name, params) end

--- The names of the tools the agent may use.
---@return any[] 
function Agent:discover_tools() end

--- Whether the agent may use a tool.
---@param name string 
---@return boolean 
function Agent:has_tool(name) end

--- Description and schema of a tool the agent may use, else nil.
---@param name string 
---@return table? {name, description, version, schema}
function Agent:get_tool_metadata(name) end

--- Description and schema of every tool the agent may use, by name.
---@return table 
function Agent:get_all_tool_metadata() end

--- The definition, secrets hidden.
---@return table 
function Agent:get_config() end

--- Ready, Running, Paused, Stopped, Error or Terminated.
---@return string 
function Agent:get_state() end

--- Whether the agent can work.
---@return boolean 
function Agent:is_healthy() end

--- Why the last execution failed, nil if it did not.
---@return any? 
function Agent:get_last_error() end

--- The changes of state, oldest first.
---@return any[] entries {from, to, timestamp, reason?}
function Agent:get_state_history() end

--- Counters of the agent.
---@return table 
function Agent:get_metrics() end

--- Times and rates of the executions.
---@return table 
function Agent:get_performance() end

--- Status healthy, degraded or unhealthy.
---@return table 
function Agent:get_health() end

--- Checks credential and model with the provider.
function Agent:initialize() end

--- Ends the agent and frees its name.
function Agent:destroy() end

--- Ready to Paused.
function Agent:pause() end

--- Paused to Ready.
function Agent:resume() end

--- Ready or Paused to Stopped.
function Agent:stop() end

--- Stopped to Ready.
function Agent:start() end

--- Error to Ready.
function Agent:recover() end

--- The same as destroy.
function Agent:terminate() end

--- Any state to Error.
---@param message string 
function Agent:set_error(message) end

--- A definition of an agent in steps.
---@class AgentBuilder
local AgentBuilder = {}

--- Sets name. Name within the session; made up when absent.
---@param name string Name within the session; made up when absent.
---@return AgentBuilder the builder itself
function AgentBuilder:name(name) end

--- Sets replace. Take over the name of an existing agent.
---@param replace boolean Take over the name of an existing agent.
---@return AgentBuilder the builder itself
function AgentBuilder:replace(replace) end

--- Sets description.
---@param description string 
---@return AgentBuilder the builder itself
function AgentBuilder:description(description) end

--- Sets type. tool-orchestrator may use every enabled tool.
---@param type "llm"|"tool-orchestrator" tool-orchestrator may use every enabled tool.; one of llm, tool-orchestrator
---@return AgentBuilder the builder itself
function AgentBuilder:type(type) end

--- Sets model. provider/model, or a model's name.
---@param model string|{ provider: string, model_id: string, temperature?: number, max_tokens?: integer, settings?: table } provider/model, or a model's name.
---@return AgentBuilder the builder itself
function AgentBuilder:model(model) end

--- Sets provider. Configured provider; the default one when absent.
---@param provider string Configured provider; the default one when absent.
---@return AgentBuilder the builder itself
function AgentBuilder:provider(provider) end

--- Sets system_prompt. Instructions to the model.
---@param system_prompt string Instructions to the model.
---@return AgentBuilder the builder itself
function AgentBuilder:system_prompt(system_prompt) end

--- Sets top_p.
---@param top_p number 
---@return AgentBuilder the builder itself
function AgentBuilder:top_p(top_p) end

--- Sets tools. The same as allowed_tools.
---@param tools string[] The same as allowed_tools.
---@return AgentBuilder the builder itself
function AgentBuilder:tools(tools) end

--- Sets retries. Repetitions of a failed request; the provider's setting when absent.
---@param retries integer Repetitions of a failed request; the provider's setting when absent.; 0 to 20
---@return AgentBuilder the builder itself
function AgentBuilder:retries(retries) end

--- Sets fallbacks. Models tried after a retryable failure.
---@param fallbacks string[] Models tried after a retryable failure.
---@return AgentBuilder the builder itself
function AgentBuilder:fallbacks(fallbacks) end

--- Sets strict. Raise budget_exceeded at a limit instead of returning what there is.
---@param strict boolean Raise budget_exceeded at a limit instead of returning what there is.
---@return AgentBuilder the builder itself
function AgentBuilder:strict(strict) end

--- Sets max_conversation_length. Messages kept; 100.
---@param max_conversation_length integer Messages kept; 100.; at least 1
---@return AgentBuilder the builder itself
function AgentBuilder:max_conversation_length(max_conversation_length) end

--- Sets max_execution_time. Seconds of one execution; 300.
---@param max_execution_time number Seconds of one execution; 300.; at least 0.001
---@return AgentBuilder the builder itself
function AgentBuilder:max_execution_time(max_execution_time) end

--- Sets max_memory_mb. Size of the kept history; 512.
---@param max_memory_mb integer Size of the kept history; 512.; at least 1
---@return AgentBuilder the builder itself
function AgentBuilder:max_memory_mb(max_memory_mb) end

--- Sets max_iterations. Model calls of one execution; 16.
---@param max_iterations integer Model calls of one execution; 16.; at least 1
---@return AgentBuilder the builder itself
function AgentBuilder:max_iterations(max_iterations) end

--- Sets max_tool_calls. Tool calls of one execution; 100.
---@param max_tool_calls integer Tool calls of one execution; 100.; at least 1
---@return AgentBuilder the builder itself
function AgentBuilder:max_tool_calls(max_tool_calls) end

--- Sets max_recursion_depth. Depth of agents that call agents; 10.
---@param max_recursion_depth integer Depth of agents that call agents; 10.; at least 1
---@return AgentBuilder the builder itself
function AgentBuilder:max_recursion_depth(max_recursion_depth) end

--- Sets base_url. Server to use in place of the configured one (policy net).
---@param base_url string Server to use in place of the configured one (policy net).
---@return AgentBuilder the builder itself
function AgentBuilder:base_url(base_url) end

--- Sets api_key. Key for base_url.
---@param api_key string Key for base_url.
---@return AgentBuilder the builder itself
function AgentBuilder:api_key(api_key) end

--- Sets custom_config.
---@param custom_config { system_prompt?: string, max_conversation_length?: integer } 
---@return AgentBuilder the builder itself
function AgentBuilder:custom_config(custom_config) end

--- Sets resource_limits.
---@param resource_limits { max_execution_time_secs?: number, max_memory_mb?: integer, max_tool_calls?: integer, max_recursion_depth?: integer } 
---@return AgentBuilder the builder itself
function AgentBuilder:resource_limits(resource_limits) end

--- Sets temperature. Randomness of the reply.
---@param temperature number Randomness of the reply.; 0 to 2
---@return AgentBuilder the builder itself
function AgentBuilder:temperature(temperature) end

--- Sets max_tokens. Most tokens of a reply.
---@param max_tokens integer Most tokens of a reply.; at least 1
---@return AgentBuilder the builder itself
function AgentBuilder:max_tokens(max_tokens) end

--- Sets stop. Texts that end a reply.
---@param stop string[] Texts that end a reply.
---@return AgentBuilder the builder itself
function AgentBuilder:stop(stop) end

--- Sets seed. Seed for providers that sample reproducibly.
---@param seed integer Seed for providers that sample reproducibly.
---@return AgentBuilder the builder itself
function AgentBuilder:seed(seed) end

--- Sets schema. JSON Schema of the reply; `data` is the checked value.
---@param schema table JSON Schema of the reply; `data` is the checked value.
---@return AgentBuilder the builder itself
function AgentBuilder:schema(schema) end

--- Sets tool_choice. auto, none, required or the name of a tool.
---@param tool_choice string auto, none, required or the name of a tool.
---@return AgentBuilder the builder itself
function AgentBuilder:tool_choice(tool_choice) end

--- Sets allowed_tools. Names or globs of the tools the agent may use.
---@param allowed_tools string[] Names or globs of the tools the agent may use.
---@return AgentBuilder the builder itself
function AgentBuilder:allowed_tools(allowed_tools) end

--- Adds one name or glob to allowed_tools.
---@param name string 
---@return AgentBuilder the builder itself
function AgentBuilder:allow_tool(name) end

--- Makes an agent of the definition; each call makes another.
---@return Agent 
function AgentBuilder:build() end

--- Agents: models with instructions, a conversation and tools.
---@class Agentlib
Agent = {}

--- Asks a model once, without conversation or name.
---@param prompt string 
---@param opts? { description?: string, type?: "llm"|"tool-orchestrator", model?: string|{ provider: string, model_id: string, temperature?: number, max_tokens?: integer, settings?: table }, provider?: string, system_prompt?: string, top_p?: number, tools?: string[], retries?: integer, fallbacks?: string[], strict?: boolean, max_conversation_length?: integer, max_execution_time?: number, max_memory_mb?: integer, max_iterations?: integer, max_tool_calls?: integer, max_recursion_depth?: integer, base_url?: string, api_key?: string, custom_config?: { system_prompt?: string, max_conversation_length?: integer }, resource_limits?: { max_execution_time_secs?: number, max_memory_mb?: integer, max_tool_calls?: integer, max_recursion_depth?: integer }, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[], timeout_ms?: integer } 
---@return string the reply
function Agent.query(prompt, opts) end

--- Starts a definition in steps; build() makes the agent.
---@return AgentBuilder 
function Agent.builder() end

--- Makes an agent; one with a name is kept in the session.
---@param fields? { name?: string, replace?: boolean, description?: string, type?: "llm"|"tool-orchestrator", model?: string|{ provider: string, model_id: string, temperature?: number, max_tokens?: integer, settings?: table }, provider?: string, system_prompt?: string, top_p?: number, tools?: string[], retries?: integer, fallbacks?: string[], strict?: boolean, max_conversation_length?: integer, max_execution_time?: number, max_memory_mb?: integer, max_iterations?: integer, max_tool_calls?: integer, max_recursion_depth?: integer, base_url?: string, api_key?: string, custom_config?: { system_prompt?: string, max_conversation_length?: integer }, resource_limits?: { max_execution_time_secs?: number, max_memory_mb?: integer, max_tool_calls?: integer, max_recursion_depth?: integer }, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[] } 
---@return Agent 
function Agent.create(fields) end

--- Makes an agent, keeps it under its name and returns the name.
---@param fields { name: string, replace?: boolean, description?: string, type?: "llm"|"tool-orchestrator", model?: string|{ provider: string, model_id: string, temperature?: number, max_tokens?: integer, settings?: table }, provider?: string, system_prompt?: string, top_p?: number, tools?: string[], retries?: integer, fallbacks?: string[], strict?: boolean, max_conversation_length?: integer, max_execution_time?: number, max_memory_mb?: integer, max_iterations?: integer, max_tool_calls?: integer, max_recursion_depth?: integer, base_url?: string, api_key?: string, custom_config?: { system_prompt?: string, max_conversation_length?: integer }, resource_limits?: { max_execution_time_secs?: number, max_memory_mb?: integer, max_tool_calls?: integer, max_recursion_depth?: integer }, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[] } 
---@return string 
function Agent.register(fields) end

--- The session's agent of that name, nil if there is none.
---@param name string 
---@return Agent? 
function Agent.get(name) end

--- The session's named agents.
---@return any[] entries {name, type, provider, model, state, description}
function Agent.list() end

--- The names of the session's agents.
---@return any[] 
function Agent.list_instances() end

--- The agent types.
---@return any[] entries {type, description}
function Agent.discover() end

--- What an agent type takes; for the name of an agent also its details.
---@param name string 
---@return table 
function Agent.get_info(name) end

--- Definition without secrets, state and usage of an agent.
---@param name string 
---@return table 
function Agent.get_details(name) end

--- A composite agent and its members.
---@param name string 
---@return table {name, strategy?, children}
function Agent.get_hierarchy(name) end

--- What the session's agents can do, by name.
---@return table 
function Agent.list_capabilities() end

--- The names of the agents with a capability or tool.
---@param capability string|{ capability: string, provider?: string } streaming, tools, context, multimodal (also with supports_), or a tool's name.
---@return any[] 
function Agent.discover_by_capability(capability) end

--- The names of the ready-made definitions.
---@return any[] 
function Agent.list_templates() end

--- Makes an agent from a ready-made definition; params overlay its fields.
---@param name string|{ name?: string, template: string, params?: { name?: string, replace?: boolean, description?: string, type?: "llm"|"tool-orchestrator", model?: string|{ provider: string, model_id: string, temperature?: number, max_tokens?: integer, settings?: table }, provider?: string, system_prompt?: string, top_p?: number, tools?: string[], retries?: integer, fallbacks?: string[], strict?: boolean, max_conversation_length?: integer, max_execution_time?: number, max_memory_mb?: integer, max_iterations?: integer, max_tool_calls?: integer, max_recursion_depth?: integer, base_url?: string, api_key?: string, custom_config?: { system_prompt?: string, max_conversation_length?: integer }, resource_limits?: { max_execution_time_secs?: number, max_memory_mb?: integer, max_tool_calls?: integer, max_recursion_depth?: integer }, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[] } } 
---@param template? string 
---@param params? { name?: string, replace?: boolean, description?: string, type?: "llm"|"tool-orchestrator", model?: string|{ provider: string, model_id: string, temperature?: number, max_tokens?: integer, settings?: table }, provider?: string, system_prompt?: string, top_p?: number, tools?: string[], retries?: integer, fallbacks?: string[], strict?: boolean, max_conversation_length?: integer, max_execution_time?: number, max_memory_mb?: integer, max_iterations?: integer, max_tool_calls?: integer, max_recursion_depth?: integer, base_url?: string, api_key?: string, custom_config?: { system_prompt?: string, max_conversation_length?: integer }, resource_limits?: { max_execution_time_secs?: number, max_memory_mb?: integer, max_tool_calls?: integer, max_recursion_depth?: integer }, temperature?: number, max_tokens?: integer, stop?: string[], seed?: integer, schema?: table, tool_choice?: string, allowed_tools?: string[] } 
---@return Agent 
function Agent.create_from_template(name, template, params) end

--- Makes an agent of agents.
---@param name string|{ name: string, agents: string[], routing: string|{ strategy: "sequential"|"parallel"|"vote"|"fallback", threshold?: number, fallback_agent?: string|Agent, timeout_ms?: integer }|function } 
---@param agents? string[] Agents or their names.
---@param routing? string|{ strategy: "sequential"|"parallel"|"vote"|"fallback", threshold?: number, fallback_agent?: string|Agent, timeout_ms?: integer }|function sequential, parallel, vote, fallback, a table, or a function (input, names) that returns one name or several.
---@return Agent 
function Agent.create_composite(name, agents, routing) end

--- Registers a tool that asks an agent; its parameter `input` is the question.
---@param agent string|Agent 
---@param opts { tool_name: string, description?: string, category?: string, parameters?: table[] } 
---@return string the tool's name
function Agent.wrap_as_tool(agent, opts) end

--- Makes a set of data for execute_with_context.
---@param fields? { conversation_id?: string, user_id?: string, session_id?: string, scope?: string|table, inheritance?: "inherit", data?: table, permissions?: table } 
---@return string context id
function Agent.create_context(fields) end

--- Makes a context below another.
---@param parent_id string 
---@param scope? string|table Told to the model.
---@param inheritance? "inherit"|"copy"|"share"|"isolate" inherit reads through and writes locally, copy takes a snapshot, share reads and writes the parent, isolate has nothing of it.; one of inherit, copy, share, isolate; default "inherit"
---@return string context id
function Agent.create_child_context(parent_id, scope, inheritance) end

--- Sets one value of a context; nil removes it.
---@param id string Context id.
---@param key string 
---@param value? any 
function Agent.update_context(id, key, value) end

--- One value of a context, nil if absent; all of them without key.
---@param id string Context id.
---@param key? string 
---@return any? 
function Agent.get_context_data(id, key) end

--- Forgets a context; false if there was none.
---@param id string Context id.
---@return boolean 
function Agent.remove_context(id) end

--- Stores a value that agents share; nil removes it. It is kept in State, under shared:<key>.
---@param scope string|{ type: "session"|"workflow"|"agent"|"user"|"global", id?: string } "global", or a table
---@param key string 
---@param value? any 
function Agent.set_shared_memory(scope, key, value) end

--- A value that agents share, else the default.
---@param scope string|{ type: "session"|"workflow"|"agent"|"user"|"global", id?: string } "global", or a table
---@param key string 
---@param default? any 
---@return any? value
function Agent.get_shared_memory(scope, key, default) end

--- The keys of the values that agents share, sorted.
---@param scope string|{ type: "session"|"workflow"|"agent"|"user"|"global", id?: string } "global", or a table
---@return any[] 
function Agent.list_shared_memory(scope) end

package config

import "time"

// Config is the effective configuration. Its fields mirror the TOML tables; the
// meaning, range and default of each field stand in the key table. A Config is
// not modified after loading, so it may be shared between goroutines; make a new
// one to change a value.
type Config struct {
	Profile         []string            `toml:"profile"`
	DefaultEngine   string              `toml:"default_engine"`
	Kernel          Kernel              `toml:"kernel"`
	Daemon          Daemon              `toml:"daemon"`
	Logging         Logging             `toml:"logging"`
	Security        Security            `toml:"security"`
	Storage         Storage             `toml:"storage"`
	DefaultProvider string              `toml:"providers.default_provider"`
	Providers       map[string]Provider `toml:"providers"`
	Runtime         Runtime             `toml:"runtime"`
	Engines         Engines             `toml:"engines"`
	Memory          Memory              `toml:"memory"`
	RAG             RAG                 `toml:"rag"`
	Tools           Tools               `toml:"tools"`
	Budget          Budget              `toml:"budget"`
	Hooks           Hooks               `toml:"hooks"`
	Events          Events              `toml:"events"`
	Telemetry       Telemetry           `toml:"telemetry"`
	Backup          Backup              `toml:"backup"`
	App             App                 `toml:"app"`

	// Token is the bootstrap token given by LLMSPELL_TOKEN or the credential
	// llmspell_token; empty means the kernel uses its token file.
	Token Secret `toml:"-"`
	// ComponentLevels are log levels by component, from LLMSPELL_LOG or RUST_LOG.
	ComponentLevels map[string]string `toml:"-"`
	// Paths are the directories of this scope, after state_dir and runtime_dir.
	Paths Paths `toml:"-"`
	// File is the file that was read, absolute; empty if none.
	File string `toml:"-"`
	// Warnings are problems that do not stop a start.
	Warnings []Problem `toml:"-"`
	// Notices are lines a person should see on stderr, such as the use of ./llmspell.toml.
	Notices []string `toml:"-"`
	// Notes are lines for the debug log, such as profile keys left out.
	Notes []string `toml:"-"`

	origins map[string]Origin
}

// Kernel is [kernel]: the service itself.
type Kernel struct {
	Port            int           `toml:"port"`
	Host            string        `toml:"host"`
	ID              string        `toml:"id"` // empty: chosen at start
	ConnectionFile  string        `toml:"connection_file"`
	StateDir        string        `toml:"state_dir"`
	RuntimeDir      string        `toml:"runtime_dir"`
	IdleTimeout     time.Duration `toml:"idle_timeout"`
	ShutdownTimeout time.Duration `toml:"shutdown_timeout"`
	MaxClients      int           `toml:"max_clients"`
	MaxQueue        int           `toml:"max_queue"`
	MaxConnections  int           `toml:"max_connections"`
	MaxQueueTotal   int           `toml:"max_queue_total"`
	EnableHTTP      bool          `toml:"enable_http"`
	EnableJupyter   bool          `toml:"enable_jupyter"`
	JupyterShutdown string        `toml:"jupyter_shutdown"`
	Health          Health        `toml:"health"`
}

// Health is [kernel.health]: crossing one threshold makes /health degraded.
type Health struct {
	MemoryThresholdMB int `toml:"memory_threshold_mb"`
	DiskFreeMB        int `toml:"disk_free_mb"`
	QueueThreshold    int `toml:"queue_threshold"`
}

// Daemon is [daemon].
type Daemon struct {
	Daemonize  bool   `toml:"daemonize"`
	PIDFile    string `toml:"pid_file"` // empty: <runtime>/<id>.pid with --daemon, else none
	WorkingDir string `toml:"working_dir"`
	Umask      int    `toml:"umask"`
}

// Logging is [logging].
type Logging struct {
	LogFile    string `toml:"log_file"` // empty: stderr, or <logs>/kernel-<id>.log of a daemon
	LogLevel   string `toml:"log_level"`
	MaxSizeMB  int    `toml:"max_size_mb"`
	MaxBackups int    `toml:"max_backups"`
	MaxAgeDays int    `toml:"max_age_days"`
	Compress   bool   `toml:"compress"`
	Format     string `toml:"format"`
}

// Security is [security].
type Security struct {
	HMACKey            Secret   `toml:"hmac_key"` // empty: random per start
	AllowedOrigins     []string `toml:"allowed_origins"`
	AllowedHosts       []string `toml:"allowed_hosts"`
	MaxMessageSizeMB   int      `toml:"max_message_size_mb"`
	RateLimitPerMinute int      `toml:"rate_limit_per_minute"`
	TrustedProxies     []string `toml:"trusted_proxies"` // CIDR
	TLSEnabled         bool     `toml:"tls_enabled"`
	TLSCert            string   `toml:"tls_cert"`
	TLSKey             string   `toml:"tls_key"`
	AllowInsecureBind  bool     `toml:"allow_insecure_bind"`
}

// Storage is [storage].
type Storage struct {
	Backend   string    `toml:"backend"`
	SQLite    SQLite    `toml:"sqlite"`
	Postgres  Postgres  `toml:"postgres"`
	Retention Retention `toml:"retention"`
}

// SQLite is [storage.sqlite].
type SQLite struct {
	Path        string `toml:"path"`
	Synchronous string `toml:"synchronous"`
}

// Postgres is [storage.postgres].
type Postgres struct {
	URL                    Secret        `toml:"url"`
	Password               Secret        `toml:"password"`
	PoolSize               int           `toml:"pool_size"`
	PoolTimeout            time.Duration `toml:"pool_timeout_secs"`
	IdleTimeout            time.Duration `toml:"idle_timeout_secs"`
	MaxLifetime            time.Duration `toml:"max_lifetime_secs"`
	MigrationTimeout       time.Duration `toml:"migration_timeout_secs"`
	AutoMigrate            bool          `toml:"auto_migrate"`
	EnforceTenantIsolation bool          `toml:"enforce_tenant_isolation"`
	DefaultTenantID        string        `toml:"default_tenant_id"`
	AppRole                string        `toml:"app_role"`
	Schema                 string        `toml:"schema"`
}

// Retention is [storage.retention]; 0 keeps for ever.
type Retention struct {
	Runs      time.Duration `toml:"runs"`
	Events    time.Duration `toml:"events"`
	Artifacts time.Duration `toml:"artifacts"`
}

// Provider is one [providers.NAME] table.
type Provider struct {
	Enabled      bool              `toml:"enabled"`
	ProviderType string            `toml:"provider_type"`
	APIKeyEnv    string            `toml:"api_key_env"`
	APIKey       Secret            `toml:"api_key"`
	BaseURL      string            `toml:"base_url"` // empty: the vendor's
	DefaultModel string            `toml:"default_model"`
	Timeout      time.Duration     `toml:"timeout_secs"`
	MaxTokens    int               `toml:"max_tokens"`  // 0: unset
	Temperature  *float64          `toml:"temperature"` // nil: unset
	MaxRetries   int               `toml:"max_retries"`
	RateLimit    ProviderRateLimit `toml:"rate_limit"`
	Retry        Retry             `toml:"retry"`
	Prices       map[string]Price  `toml:"prices"`
	Options      map[string]any    `toml:"options"`

	key Secret // resolved from api_key_env at load
}

// Key returns the API key: api_key if set, else the credential file or variable
// named by api_key_env as it was at load. It is empty if there is none.
func (p Provider) Key() Secret {
	if p.APIKey.IsSet() {
		return p.APIKey
	}
	return p.key
}

// NeedsKey reports whether the provider cannot be used without a key: vendor
// servers need one, Ollama and servers named by base_url do not.
func (p Provider) NeedsKey() bool {
	return p.BaseURL == "" && p.ProviderType != "ollama"
}

// ProviderRateLimit is one limiter per provider, shared by all runs; 0 is off.
type ProviderRateLimit struct {
	RequestsPerMinute int `toml:"requests_per_minute"`
	TokensPerMinute   int `toml:"tokens_per_minute"`
	MaxConcurrent     int `toml:"max_concurrent"`
}

// Retry is the back-off between attempts, with full jitter.
type Retry struct {
	InitialDelay      time.Duration `toml:"initial_delay_ms"`
	MaxDelay          time.Duration `toml:"max_delay_ms"`
	BackoffMultiplier float64       `toml:"backoff_multiplier"`
}

// Price is in US dollars per million tokens.
type Price struct {
	Input       float64 `toml:"input"`
	CachedInput float64 `toml:"cached_input"`
	Output      float64 `toml:"output"`
}

// Runtime is [runtime]: executions and their limits.
type Runtime struct {
	MaxConcurrentScripts int              `toml:"max_concurrent_scripts"`
	ScriptTimeout        time.Duration    `toml:"script_timeout_seconds"`
	MaxTotalMemoryBytes  int64            `toml:"max_total_memory_bytes"`
	Security             RuntimeSecurity  `toml:"security"`
	Sessions             Sessions         `toml:"sessions"`
	StatePersistence     StatePersistence `toml:"state_persistence"`
}

// RuntimeSecurity is [runtime.security]: ceilings for scripts. After loading,
// MaxMemoryBytes and MaxExecutionTime already hold the smaller of this table and
// [engines.lua].
type RuntimeSecurity struct {
	AllowFileAccess    bool          `toml:"allow_file_access"`
	AllowNetworkAccess bool          `toml:"allow_network_access"`
	AllowProcessSpawn  bool          `toml:"allow_process_spawn"`
	MaxMemoryBytes     int64         `toml:"max_memory_bytes"`
	MaxExecutionTime   time.Duration `toml:"max_execution_time_ms"`
	MaxInstructions    int64         `toml:"max_instructions"` // 0: no limit
}

// Sessions is [runtime.sessions].
type Sessions struct {
	Enabled                      bool          `toml:"enabled"`
	Durable                      bool          `toml:"durable"`
	KeepForReplay                bool          `toml:"keep_for_replay"`
	MaxSessions                  int           `toml:"max_sessions"` // 0: no limit
	MaxArtifactsPerSession       int           `toml:"max_artifacts_per_session"`
	ArtifactCompressionThreshold int64         `toml:"artifact_compression_threshold"` // bytes
	SessionTimeout               time.Duration `toml:"session_timeout_seconds"`
}

// StatePersistence is [runtime.state_persistence].
type StatePersistence struct {
	Enabled           bool  `toml:"enabled"`
	MaxStateSizeBytes int64 `toml:"max_state_size_bytes"`
}

// Engines is [engines].
type Engines struct {
	Lua LuaEngine `toml:"lua"`
}

// LuaEngine is [engines.lua].
type LuaEngine struct {
	Stdlib         string        `toml:"stdlib"`
	MaxMemoryBytes int64         `toml:"max_memory_bytes"` // 0: unset
	Timeout        time.Duration `toml:"timeout_ms"`       // 0: unset
}

// Memory is [memory].
type Memory struct {
	EnableMemory  bool          `toml:"enable_memory"`
	EnableRAG     bool          `toml:"enable_rag"`
	Episodic      Episodic      `toml:"episodic"`
	Consolidation Consolidation `toml:"consolidation"`
}

// Episodic is [memory.episodic].
type Episodic struct {
	HNSW EpisodicHNSW `toml:"hnsw"`
}

// EpisodicHNSW is [memory.episodic.hnsw].
type EpisodicHNSW struct {
	M              int `toml:"m"`
	EFConstruction int `toml:"ef_construction"`
	EFSearch       int `toml:"ef_search"`
}

// Consolidation is [memory.consolidation].
type Consolidation struct {
	ProviderName  string        `toml:"provider_name"`
	BatchSize     int           `toml:"batch_size"`
	MaxConcurrent int           `toml:"max_concurrent"`
	Interval      time.Duration `toml:"interval_secs"`
}

// RAG is [rag].
type RAG struct {
	MultiTenant   bool          `toml:"multi_tenant"`
	VectorStorage VectorStorage `toml:"vector_storage"`
	Embedding     Embedding     `toml:"embedding"`
	Chunking      Chunking      `toml:"chunking"`
	Cache         RAGCache      `toml:"cache"`
}

// VectorStorage is [rag.vector_storage].
type VectorStorage struct {
	Dimensions      int        `toml:"dimensions"`
	Backend         string     `toml:"backend"`
	PersistencePath string     `toml:"persistence_path"`
	MaxMemoryMB     int        `toml:"max_memory_mb"`
	HNSW            VectorHNSW `toml:"hnsw"`
}

// VectorHNSW is [rag.vector_storage.hnsw].
type VectorHNSW struct {
	M              int    `toml:"m"`
	EFConstruction int    `toml:"ef_construction"`
	EFSearch       int    `toml:"ef_search"`
	MaxElements    int    `toml:"max_elements"`
	Metric         string `toml:"metric"`
	Seed           int64  `toml:"seed"` // 0: unset
}

// Embedding is [rag.embedding].
type Embedding struct {
	DefaultProvider string        `toml:"default_provider"`
	Model           string        `toml:"model"`
	BatchSize       int           `toml:"batch_size"`
	Timeout         time.Duration `toml:"timeout_seconds"`
	MaxRetries      int           `toml:"max_retries"`
	CacheEnabled    bool          `toml:"cache_enabled"`
	CacheSize       int           `toml:"cache_size"`
	CacheTTL        time.Duration `toml:"cache_ttl_seconds"`
}

// Chunking is [rag.chunking], sizes in tokens.
type Chunking struct {
	Strategy     string `toml:"strategy"`
	ChunkSize    int    `toml:"chunk_size"`
	Overlap      int    `toml:"overlap"`
	MinChunkSize int    `toml:"min_chunk_size"`
	MaxChunkSize int    `toml:"max_chunk_size"`
}

// RAGCache is [rag.cache].
type RAGCache struct {
	SearchCacheEnabled bool          `toml:"search_cache_enabled"`
	SearchCacheSize    int           `toml:"search_cache_size"`
	SearchCacheTTL     time.Duration `toml:"search_cache_ttl_seconds"`
}

// Tools is [tools].
type Tools struct {
	Enabled            bool           `toml:"enabled"`
	RateLimitPerMinute int            `toml:"rate_limit_per_minute"`
	FileOperations     FileOperations `toml:"file_operations"`
	HTTPRequest        HTTPRequest    `toml:"http_request"`
	WebSearch          WebSearch      `toml:"web_search"`
	System             SystemTools    `toml:"system"`
	Database           map[string]any `toml:"database"`
	Email              map[string]any `toml:"email"`
	Media              map[string]any `toml:"media"`
	MCP                map[string]any `toml:"mcp"`
}

// FileOperations is [tools.file_operations].
type FileOperations struct {
	Enabled           bool     `toml:"enabled"`
	AllowedPaths      []string `toml:"allowed_paths"` // absolute after loading
	MaxFileSize       int64    `toml:"max_file_size"` // bytes
	MaxDepth          int      `toml:"max_depth"`
	AllowedExtensions []string `toml:"allowed_extensions"`
	BlockedExtensions []string `toml:"blocked_extensions"`
	AtomicWrites      bool     `toml:"atomic_writes"`
}

// HTTPRequest is [tools.http_request].
type HTTPRequest struct {
	AllowedHosts   []string          `toml:"allowed_hosts"`
	BlockedHosts   []string          `toml:"blocked_hosts"`
	AllowPrivate   bool              `toml:"allow_private"`
	MaxRequestSize int64             `toml:"max_request_size"` // bytes
	Timeout        time.Duration     `toml:"timeout_seconds"`
	MaxRedirects   int               `toml:"max_redirects"`
	DefaultHeaders map[string]string `toml:"default_headers"`
}

// WebSearch is [tools.web_search].
type WebSearch struct {
	Provider           string        `toml:"provider"`
	APIKeyEnv          string        `toml:"api_key_env"`
	AllowedDomains     []string      `toml:"allowed_domains"`
	BlockedDomains     []string      `toml:"blocked_domains"`
	MaxResults         int           `toml:"max_results"`
	RateLimitPerMinute int           `toml:"rate_limit_per_minute"`
	Timeout            time.Duration `toml:"timeout_seconds"`
}

// SystemTools is [tools.system].
type SystemTools struct {
	AllowProcessExecution bool          `toml:"allow_process_execution"`
	AllowedCommands       []string      `toml:"allowed_commands"`
	AllowedEnvVars        []string      `toml:"allowed_env_vars"`
	CommandTimeout        time.Duration `toml:"command_timeout_seconds"`
	MaxOutputSize         int64         `toml:"max_output_size"` // bytes
}

// Budget is [budget]; zero limits are off.
type Budget struct {
	MaxCostUSD   float64           `toml:"max_cost_usd"`
	MaxTokens    int64             `toml:"max_tokens"`
	MaxLLMCalls  int64             `toml:"max_llm_calls"`
	MaxToolCalls int64             `toml:"max_tool_calls"`
	Window       time.Duration     `toml:"window"` // 0: per run
	Script       Limits            `toml:"script"`
	Tenant       map[string]Limits `toml:"tenant"`
}

// Limits is one narrower budget: [budget.script] or [budget.tenant.ID].
type Limits struct {
	MaxCostUSD   float64       `toml:"max_cost_usd"`
	MaxTokens    int64         `toml:"max_tokens"`
	MaxLLMCalls  int64         `toml:"max_llm_calls"`
	MaxToolCalls int64         `toml:"max_tool_calls"`
	Window       time.Duration `toml:"window"`
}

// Hooks is [hooks].
type Hooks struct {
	Enabled                 bool          `toml:"enabled"`
	Timeout                 time.Duration `toml:"timeout_ms"`
	RateLimitPerMinute      int           `toml:"rate_limit_per_minute"`
	CircuitBreakerThreshold float64       `toml:"circuit_breaker_threshold"`
}

// Events is [events].
type Events struct {
	Enabled            bool           `toml:"enabled"`
	BufferSize         int            `toml:"buffer_size"`
	EmitTimingEvents   bool           `toml:"emit_timing_events"`
	EmitStateEvents    bool           `toml:"emit_state_events"`
	EmitDebugEvents    bool           `toml:"emit_debug_events"`
	MaxEventsPerSecond int            `toml:"max_events_per_second"`
	Filtering          map[string]any `toml:"filtering"`
	Export             map[string]any `toml:"export"`
}

// Telemetry is [telemetry].
type Telemetry struct {
	OTLPEndpoint   string  `toml:"otlp_endpoint"` // empty: off
	OTLPProtocol   string  `toml:"otlp_protocol"`
	SampleRatio    float64 `toml:"sample_ratio"`
	CaptureContent bool    `toml:"capture_content"`
}

// Backup is [backup].
type Backup struct {
	Dir        string        `toml:"dir"`
	MaxBackups int           `toml:"max_backups"`
	MaxAge     time.Duration `toml:"max_age"`
	Schedule   string        `toml:"schedule"` // empty: off
}

// App is [app].
type App struct {
	SearchPaths []string `toml:"search_paths"`
}

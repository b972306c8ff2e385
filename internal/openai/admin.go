package openai

// The organization's objects. Times are Unix seconds.

// AdminAPIKey is a key that administers the organization.
type AdminAPIKey struct {
	Object        string        `json:"object"` // organization.admin_api_key
	ID            string        `json:"id"`
	Name          string        `json:"name"`
	RedactedValue string        `json:"redacted_value"`
	Value         string        `json:"value,omitempty"` // in the answer that makes it
	CreatedAt     int64         `json:"created_at"`
	ExpiresAt     *int64        `json:"expires_at"`
	LastUsedAt    *int64        `json:"last_used_at"`
	Owner         AdminKeyOwner `json:"owner"`
}

// AdminKeyOwner is whose an admin key is.
type AdminKeyOwner struct {
	Type      string `json:"type"`   // user
	Object    string `json:"object"` // organization.user
	ID        string `json:"id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Role      string `json:"role"`
}

// AdminAPIKeyRequest is the body of POST /organization/admin_api_keys.
type AdminAPIKeyRequest struct {
	Name             *string
	ExpiresInSeconds *int64
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *AdminAPIKeyRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = AdminAPIKeyRequest{Name: o.text("name"), ExpiresInSeconds: o.integer("expires_in_seconds")}
	})
}

// Project is a project of the organization.
type Project struct {
	ID         string `json:"id"`
	Object     string `json:"object"` // organization.project
	Name       string `json:"name"`
	CreatedAt  int64  `json:"created_at"`
	ArchivedAt *int64 `json:"archived_at"`
	Status     string `json:"status"` // active or archived
}

// ProjectRequest is the body of POST /organization/projects and of its
// update.
type ProjectRequest struct{ Name *string }

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ProjectRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ProjectRequest{Name: o.text("name")}
		o.refuse("external_key_id", "residency")
	})
}

// ServiceAccount is a program that uses a project.
type ServiceAccount struct {
	Object    string `json:"object"` // organization.project.service_account
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      string `json:"role"` // member, owner, or none
	CreatedAt int64  `json:"created_at"`
}

// NewServiceAccount is the answer that makes a service account.
type NewServiceAccount struct {
	ServiceAccount
	APIKey *ServiceAccountKey `json:"api_key"` // null where none was wanted
}

// ServiceAccountKey is a new key of a service account.
type ServiceAccountKey struct {
	Object    string `json:"object"` // organization.project.service_account.api_key
	Value     string `json:"value"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	ID        string `json:"id"`
}

// ServiceAccountRequest is the body of POST
// /organization/projects/{id}/service_accounts.
type ServiceAccountRequest struct {
	Name             *string
	AccountOnly      bool   // without a key
	ExpiresInSeconds *int64 // of the key
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ServiceAccountRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		only := o.flag("create_service_account_only")
		*r = ServiceAccountRequest{Name: o.text("name"), AccountOnly: only != nil && *only, ExpiresInSeconds: o.integer("expires_in_seconds")}
	})
}

// ServiceAccountUpdate is the body of an update of a service account.
type ServiceAccountUpdate struct{ Name, Role *string }

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ServiceAccountUpdate) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ServiceAccountUpdate{Name: o.text("name"), Role: o.text("role")}
	})
}

// ServiceAccountKeyRequest is the body of POST …/service_accounts/{id}/api_keys.
type ServiceAccountKeyRequest struct {
	Name             *string
	Scopes           []string // none: all
	ExpiresInSeconds *int64
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ServiceAccountKeyRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ServiceAccountKeyRequest{Name: o.text("name"), Scopes: o.texts("scopes"), ExpiresInSeconds: o.integer("expires_in_seconds")}
	})
}

// ProjectKeyUpdate is the body of POST /organization/projects/{id}/api_keys/{id},
// which the official SDKs have and the specification does not. What is absent
// stays as it is.
type ProjectKeyUpdate struct {
	ExpiresInSeconds *int64   // from now
	Scopes           []string // nil: not given; none: all
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ProjectKeyUpdate) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ProjectKeyUpdate{ExpiresInSeconds: o.integer("expires_in_seconds"), Scopes: o.texts("scopes")}
	})
}

// ProjectAPIKey is a key of a project.
type ProjectAPIKey struct {
	Object             string          `json:"object"` // organization.project.api_key
	RedactedValue      string          `json:"redacted_value"`
	Name               string          `json:"name"`
	CreatedAt          int64           `json:"created_at"`
	LastUsedAt         *int64          `json:"last_used_at"`
	ExpiresAt          *int64          `json:"expires_at"`
	ID                 string          `json:"id"`
	OwnerProjectAccess string          `json:"owner_project_access"` // active
	Owner              ProjectKeyOwner `json:"owner"`
}

// ProjectKeyOwner is whose a project's key is: one of the two is set.
type ProjectKeyOwner struct {
	Type           string            `json:"type"` // user or service_account
	User           *ProjectKeyUser   `json:"user,omitempty"`
	ServiceAccount *ProjectKeyHolder `json:"service_account,omitempty"`
}

// ProjectKeyUser is a person who has a key.
type ProjectKeyUser struct {
	ID        string `json:"id"`
	Email     string `json:"email"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Role      string `json:"role"`
}

// ProjectKeyHolder is a service account that has a key.
type ProjectKeyHolder struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Role      string `json:"role"`
}

// ProjectRateLimit is how fast a project may use a model.
type ProjectRateLimit struct {
	Object               string `json:"object"` // project.rate_limit
	ID                   string `json:"id"`     // rl- and the model
	Model                string `json:"model"`
	MaxRequestsPerMinute int    `json:"max_requests_per_1_minute"`
	MaxTokensPerMinute   int    `json:"max_tokens_per_1_minute"`
	MaxRequestsPerDay    int    `json:"max_requests_per_1_day,omitempty"` // absent: any number

	// Absent where nothing is set.
	MaxImagesPerMinute         int `json:"max_images_per_1_minute,omitempty"`
	MaxAudioMegabytesPerMinute int `json:"max_audio_megabytes_per_1_minute,omitempty"`
	MaxBatchTokensPerDay       int `json:"batch_1_day_max_input_tokens,omitempty"`
}

// ProjectRateLimitRequest is the body of an update of a rate limit. What is
// absent stays as it is.
type ProjectRateLimitRequest struct {
	MaxRequestsPerMinute *int64
	MaxTokensPerMinute   *int64
	MaxRequestsPerDay    *int64

	MaxImagesPerMinute         *int64
	MaxAudioMegabytesPerMinute *int64
	MaxBatchTokensPerDay       *int64
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ProjectRateLimitRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ProjectRateLimitRequest{
			MaxRequestsPerMinute: o.integer("max_requests_per_1_minute"),
			MaxTokensPerMinute:   o.integer("max_tokens_per_1_minute"),
			MaxRequestsPerDay:    o.integer("max_requests_per_1_day"),

			MaxImagesPerMinute:         o.integer("max_images_per_1_minute"),
			MaxAudioMegabytesPerMinute: o.integer("max_audio_megabytes_per_1_minute"),
			MaxBatchTokensPerDay:       o.integer("batch_1_day_max_input_tokens"),
		}
	})
}

// refuse takes fields that this server does not serve and fails on one that is
// given.
func (o *object) refuse(names ...string) {
	for _, name := range names {
		if o.take(name) != nil {
			o.state.fail(Unsupported(join(o.path, name)))
		}
	}
}

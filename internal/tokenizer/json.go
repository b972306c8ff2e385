package tokenizer

import (
	"encoding/json"
	"fmt"
)

// tokenizerFile is the subset of tokenizer.json that we read. Truncation and
// padding are the caller's affair and ignored.
type tokenizerFile struct {
	AddedTokens   []fileAddedToken `json:"added_tokens"`
	Normalizer    *fileStep        `json:"normalizer"`
	PreTokenizer  *fileStep        `json:"pre_tokenizer"`
	PostProcessor *fileStep        `json:"post_processor"`
	Decoder       *fileStep        `json:"decoder"`
	Model         fileModel        `json:"model"`
}

type fileAddedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Special    bool   `json:"special"`
}

type fileModel struct {
	Type         string          `json:"type"`
	Vocab        json.RawMessage `json:"vocab"`
	Merges       []fileMerge     `json:"merges"`
	UnkToken     *string         `json:"unk_token"`
	Prefix       *string         `json:"continuing_subword_prefix"`
	Suffix       *string         `json:"end_of_word_suffix"`
	MaxRunes     *int            `json:"max_input_chars_per_word"`
	IgnoreMerges bool            `json:"ignore_merges"`
}

// fileMerge is "a b" in older files and ["a", "b"] in newer ones.
type fileMerge [2]string

func (m *fileMerge) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		var pair []string
		if err := json.Unmarshal(data, &pair); err != nil {
			return err
		}
		if len(pair) != 2 {
			return fmt.Errorf("a merge has %d parts, want 2", len(pair))
		}
		*m = fileMerge{pair[0], pair[1]}
		return nil
	}
	var line string
	if err := json.Unmarshal(data, &line); err != nil {
		return err
	}
	pair, ok := parseMerge(line)
	if !ok {
		return fmt.Errorf("merge %q has no space", line)
	}
	*m = pair
	return nil
}

// fileStep is a normaliser, pre-tokeniser, post-processor or decoder. The
// fields are those of all types together.
type fileStep struct {
	Type string `json:"type"`

	// Sequence
	Normalizers   []fileStep `json:"normalizers"`
	PreTokenizers []fileStep `json:"pretokenizers"`
	Processors    []fileStep `json:"processors"`

	// BertNormalizer
	CleanText    *bool `json:"clean_text"`
	CJK          *bool `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"`
	Lowercase    *bool `json:"lowercase"`

	// Split, Digits, ByteLevel
	Pattern          filePattern `json:"pattern"`
	Behavior         string      `json:"behavior"`
	Invert           bool        `json:"invert"`
	IndividualDigits bool        `json:"individual_digits"`
	AddPrefixSpace   bool        `json:"add_prefix_space"`
	UseRegex         *bool       `json:"use_regex"`

	// TemplateProcessing; BertProcessing and RobertaProcessing
	Single []filePart     `json:"single"`
	Sep    *fileTokenPair `json:"sep"`
	CLS    *fileTokenPair `json:"cls"`

	// WordPiece
	Cleanup *bool `json:"cleanup"`
}

type filePattern struct {
	Regex  string `json:"Regex"`
	String string `json:"String"`
}

type filePart struct {
	SpecialToken *struct {
		ID string `json:"id"`
	} `json:"SpecialToken"`
	Sequence *struct{} `json:"Sequence"`
}

// fileTokenPair is ["[SEP]", 102].
type fileTokenPair struct{ name string }

func (p *fileTokenPair) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a token with its id has %d parts, want 2", len(pair))
	}
	return json.Unmarshal(pair[0], &p.name)
}

// flag is an optional boolean.
func flag(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// FromJSON reads a tokenizer.json of Hugging Face: WordPiece with BERT's
// normaliser, or byte-level BPE. BOS and EOS are those that its post-processor
// puts around a text; the file names no others.
func FromJSON(data []byte) (*Tokenizer, error) {
	var f tokenizerFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("read tokenizer.json: %w", err)
	}
	t, err := f.build()
	if err != nil {
		return nil, fmt.Errorf("read tokenizer.json: %w", err)
	}
	return t, nil
}

func (f *tokenizerFile) build() (*Tokenizer, error) {
	var err error
	switch f.Model.Type {
	case "BPE", "WordPiece", "":
	default:
		return nil, fmt.Errorf("model %q is %w", f.Model.Type, ErrUnsupported)
	}
	t := &Tokenizer{bos: none, eos: none}
	if err = f.vocabulary(t); err != nil {
		return nil, err
	}
	if f.Model.Type == "WordPiece" {
		err = f.wordPiece(t)
	} else {
		err = f.byteLevel(t)
	}
	if err != nil {
		return nil, err
	}
	if f.PostProcessor != nil {
		if err = f.PostProcessor.postProcess(t); err != nil {
			return nil, err
		}
	}
	t.setEnds()
	return t, nil
}

// vocabulary reads the tokens of the model and the added ones. Ids may have
// gaps, but few.
func (f *tokenizerFile) vocabulary(t *Tokenizer) error {
	if err := json.Unmarshal(f.Model.Vocab, &t.ids); err != nil {
		return fmt.Errorf("model.vocab: %w", err)
	}
	if t.ids == nil {
		t.ids = map[string]int32{}
	}
	for _, a := range f.AddedTokens {
		t.ids[a.Content] = a.ID
	}
	size, limit := int32(0), int32(2*len(t.ids)+1<<16)
	for name, id := range t.ids {
		if id < 0 || id >= limit {
			return fmt.Errorf("token %q has the id %d, out of range for %d tokens", name, id, len(t.ids))
		}
		size = max(size, id+1)
	}
	t.tokens = make([]token, size)
	for name, id := range t.ids {
		if t.tokens[id].name != "" {
			return fmt.Errorf("tokens %q and %q have the same id %d", t.tokens[id].name, name, id)
		}
		t.tokens[id].name = name
	}
	var added []addedToken
	for _, a := range f.AddedTokens {
		t.tokens[a.ID].control = a.Special
		added = append(added, addedToken{
			text: a.Content, id: a.ID, control: a.Special,
			stripLeft: a.LStrip, stripRight: a.RStrip, singleWord: a.SingleWord,
		})
	}
	t.added = newAddedTokens(added)
	return nil
}

// texts gives every token that is not a control token its text; added tokens
// are written as they are.
func (f *tokenizerFile) texts(t *Tokenizer, spell func(name string) string) {
	added := map[int32]bool{}
	for _, a := range f.AddedTokens {
		added[a.ID] = true
	}
	for i := range t.tokens {
		k := &t.tokens[i]
		switch {
		case k.control:
		case added[int32(i)]:
			k.text = k.name
		default:
			k.text = spell(k.name)
		}
	}
}

// name is the step's type for an error.
func (p *fileStep) name() string {
	if p == nil {
		return "null"
	}
	return fmt.Sprintf("%q", p.Type)
}

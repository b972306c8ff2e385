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
	Normalized *bool  `json:"normalized"`
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
	ByteFallback bool            `json:"byte_fallback"`
	FuseUnk      bool            `json:"fuse_unk"`
	UnkID        *int32          `json:"unk_id"`

	scores []float64 // of Unigram's tokens
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
	Decoders      []fileStep `json:"decoders"`

	// BertNormalizer
	CleanText    *bool `json:"clean_text"`
	CJK          *bool `json:"handle_chinese_chars"`
	StripAccents *bool `json:"strip_accents"`
	Lowercase    *bool `json:"lowercase"`

	// Replace, Prepend, Strip, Precompiled
	Content    string `json:"content"`
	Prepend    string `json:"prepend"`
	StripLeft  *bool  `json:"strip_left"`
	StripRight *bool  `json:"strip_right"`
	Charsmap   []byte `json:"precompiled_charsmap"`
	Start      int    `json:"start"`
	Stop       int    `json:"stop"`

	// Split, Digits, ByteLevel, Metaspace, CharDelimiterSplit
	Pattern          filePattern `json:"pattern"`
	Behavior         string      `json:"behavior"`
	Invert           bool        `json:"invert"`
	IndividualDigits bool        `json:"individual_digits"`
	AddPrefixSpace   *bool       `json:"add_prefix_space"`
	UseRegex         *bool       `json:"use_regex"`
	Replacement      string      `json:"replacement"`
	PrependScheme    string      `json:"prepend_scheme"`
	Split            *bool       `json:"split"`
	Delimiter        string      `json:"delimiter"`

	// TemplateProcessing; BertProcessing and RobertaProcessing
	Single        []filePart                  `json:"single"`
	Pair          []filePart                  `json:"pair"`
	SpecialTokens map[string]fileSpecialToken `json:"special_tokens"`
	Sep           *fileTokenPair              `json:"sep"`
	CLS           *fileTokenPair              `json:"cls"`

	// WordPiece
	Cleanup *bool `json:"cleanup"`
}

type filePattern struct {
	Regex  string `json:"Regex"`
	String string `json:"String"`
}

type filePart struct {
	SpecialToken *filePartID `json:"SpecialToken"`
	Sequence     *filePartID `json:"Sequence"`
}

type filePartID struct {
	ID   string `json:"id"`
	Type int32  `json:"type_id"`
}

type fileSpecialToken struct {
	IDs []int32 `json:"ids"`
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

// FromJSON reads a tokenizer.json of Hugging Face with a BPE, Unigram or
// WordPiece model. BOS and EOS are those that its post-processor puts around a
// text; the file names no others.
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
	t := &Tokenizer{bos: none, eos: none}
	var err error
	if f.Normalizer != nil {
		if t.normal, err = f.Normalizer.normalizer(); err != nil {
			return nil, err
		}
	}
	if err := f.vocabulary(t); err != nil {
		return nil, err
	}
	switch f.Model.Type {
	case "WordPiece":
		err = f.wordPiece(t)
	case "BPE", "":
		err = f.bpe(t)
	case "Unigram":
		err = f.unigram(t)
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
	if err := f.Model.vocabulary(t); err != nil {
		return err
	}
	outside := map[int32]bool{}
	for _, a := range f.AddedTokens {
		_, inside := t.ids[a.Content]
		outside[a.ID] = !inside
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
		t.tokens[id] = token{name: name, outside: outside[id]}
	}
	f.addedTokens(t)
	return nil
}

// vocabulary reads the model's own tokens into t.ids: an object of ids, or
// Unigram's list of tokens with their scores.
func (m *fileModel) vocabulary(t *Tokenizer) error {
	switch m.Type {
	case "BPE", "WordPiece", "":
		if err := json.Unmarshal(m.Vocab, &t.ids); err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
		if t.ids == nil {
			t.ids = map[string]int32{}
		}
		return nil
	case "Unigram":
		var scored []fileScored
		if err := json.Unmarshal(m.Vocab, &scored); err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
		t.ids = make(map[string]int32, len(scored))
		for i, k := range scored {
			t.ids[k.name] = int32(i)
			m.scores = append(m.scores, k.score)
		}
		return nil
	}
	return fmt.Errorf("model %q is %w", m.Type, ErrUnsupported)
}

// fileScored is ["▁the", -3.2].
type fileScored struct {
	name  string
	score float64
}

func (k *fileScored) UnmarshalJSON(data []byte) error {
	pair := []any{&k.name, &k.score}
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("a token with its score has %d parts, want 2", len(pair))
	}
	return nil
}

// addedTokens sets what is matched before the model sees a text: in the text
// as it is, or after normalisation, where their own spelling is normalised too.
func (f *tokenizerFile) addedTokens(t *Tokenizer) {
	var plain, formal []addedToken
	for _, a := range f.AddedTokens {
		t.tokens[a.ID].control = a.Special
		t.tokens[a.ID].text = a.Content
		k := addedToken{
			text: a.Content, id: a.ID, control: a.Special,
			stripLeft: a.LStrip, stripRight: a.RStrip, singleWord: a.SingleWord,
		}
		if t.normal != nil && flag(a.Normalized, !a.Special) {
			k.text = t.normal.normalize(aligned{text: a.Content}).text
			t.tokens[a.ID].text = k.text
			formal = append(formal, k)
		} else {
			plain = append(plain, k)
		}
	}
	t.added, t.formal = newAddedTokens(plain), newAddedTokens(formal)
}

// texts gives every token that is not a control token its text; added tokens
// are written as they are, or as the normaliser leaves them.
func (f *tokenizerFile) texts(t *Tokenizer, spell func(name string) string) {
	added := map[int32]bool{}
	for _, a := range f.AddedTokens {
		added[a.ID] = true
	}
	for i := range t.tokens {
		k := &t.tokens[i]
		switch {
		case k.control:
			k.text = ""
		case !added[int32(i)]:
			k.text = spell(k.name)
		case k.text != k.name:
			k.text = spell(k.text)
		}
	}
}

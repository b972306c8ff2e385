// Prints llama.cpp's token ids for texts, with a model's or only a vocabulary's
// GGUF file. A text comes as its length in bytes, four of them little-endian, and
// itself; its ids go out as a line. Control tokens are not matched, none is added.
//
//     g++ tokenize.cpp -I LLAMA/include -I LLAMA/ggml/include -L LLAMA/build/bin \
//         -lllama -lggml -lggml-base -o tokenize

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "llama.h"

int main(int, char ** argv) {
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    llama_model_params params = llama_model_default_params();
    params.vocab_only = true;
    llama_model * model = llama_model_load_from_file(argv[1], params);
    if (model == nullptr) {
        fprintf(stderr, "%s does not load\n", argv[1]);
        return 1;
    }
    const llama_vocab * vocab = llama_model_get_vocab(model);
    uint32_t length;
    while (fread(&length, 4, 1, stdin) == 1) {
        std::string text(length, 0);
        if (fread(&text[0], 1, length, stdin) != length) {
            return 1;
        }
        std::vector<llama_token> ids(length + 16);
        const int n = llama_tokenize(vocab, text.data(), length, ids.data(), ids.size(), false, false);
        for (int i = 0; i < n; i++) {
            printf("%d ", ids[i]);
        }
        printf("\n");
    }
}

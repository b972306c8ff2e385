package rag

// english is the language of the models and weights. Its empty terms are those
// the analyser leaves of question words, which drops most function words
// itself.
var english = &language{
	name: "English",
	words: setOf(`a an the of in on at to for from by with as and or but that which who whom whose what when where why how
		is are was were be been has have had do does did can could would should this these it its they their there
		not than into between after before during many much`),
	empty:    questionTerms,
	function: functionWords,
	articles: setOf("a an the"),
	kinds:    englishKinds,
	time:     []string{"when", "year", "date", "decade", "century"},
	numbers:  numberWords,
}

// otherLanguages are the languages told by their words.
var otherLanguages = []*language{
	newLanguage("German", "äöüß",
		`der die das den dem des ein eine einen einem einer eines`,
		`in im an am auf aus bei beim mit nach von vom vor zu zum zur für über unter durch gegen ohne um bis seit während
		 wegen zwischen und oder aber sondern dass daß weil wenn als ob ist sind war waren wird werden wurde wurden
		 worden geworden hat haben hatte hatten habe sein seine seinen seinem seiner ihr ihre ihren ihrem ihrer es er sie man
		 sich nicht kein keine auch noch nur sehr so wie diese dieser dieses diesem diesen kann können konnte konnten
		 soll sollte muss müssen musste dort da dann etwa laut`,
		`was wer wen wem wessen wo woher wohin wann warum weshalb wieso welche welcher welches welchen welchem viele viel
		 wieviel wieviele womit wofür woran worauf woraus worin worüber wovon wozu wodurch wonach gibt gab bedeutet heißt`,
		`wann jahr jahre jahren datum jahrzehnt jahrhundert`,
		`null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn zwanzig dreißig vierzig fünfzig
		 hundert tausend million millionen milliarde milliarden hälfte drittel viertel dutzend`,
		[]string{"wie viele", "wie viel", "wieviele", "wieviel", "wann", "wie alt", "wie lange", "wie lang", "wie weit",
			"wie hoch", "wie groß", "wie oft", "wie schnell", "welches jahr", "welchem jahr", "welchem jahrhundert",
			"welchem jahrzehnt", "welches datum", "welcher prozentsatz", "welcher anteil"},
		[]string{"wer", "wen", "wem", "wessen", "wo", "woher", "wohin", "welche stadt", "welcher stadt", "welches land",
			"welchem land", "welche person", "welcher spieler", "welches unternehmen", "wie heißt", "wie hieß"}),
	newLanguage("Spanish", "ñ",
		`el la los las lo un una unos unas`,
		`de del a al en con por para sin sobre entre desde hasta hacia según tras durante ante bajo contra y e o u pero
		 ni que si como se su sus le les es son era eran fue fueron ser sido siendo está están estaba estaban ha han había
		 habían hay hubo tiene tienen tenía no más muy también este esta estos estas ese esa esos esas esto eso
		 puede pueden podía hace hizo`,
		`qué quién quiénes cuál cuáles cuándo cuánto cuánta cuántos cuántas dónde adónde cómo porqué quien cual cuales
		 cuando donde cuanto cuantos cuantas`,
		`cuándo cuando año años fecha década siglo`,
		`cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece veinte treinta cuarenta cincuenta cien
		 ciento mil millón millones mitad tercio cuarto docena`,
		[]string{"cuánto", "cuánta", "cuántos", "cuántas", "cuándo", "qué año", "qué fecha", "qué siglo", "qué década",
			"qué edad", "qué porcentaje", "qué distancia", "qué temperatura", "cuál es la población", "cuál era la población"},
		[]string{"quién", "quiénes", "dónde", "adónde", "qué ciudad", "qué país", "qué persona", "qué empresa",
			"qué jugador", "qué equipo", "qué universidad", "qué estado", "cómo se llama", "cómo se llamaba"}),
	newLanguage("French", "œ",
		`le la les l un une des du`,
		`de d à au aux en dans par pour sans sur sous entre vers chez depuis pendant avant après contre selon et ou mais
		 ni que qu si comme se s son sa ses leur leurs il elle ils elles on est sont était étaient fut furent être été a ont
		 avait avaient ne n pas plus très aussi ce cet cette ces c y t peut peuvent pouvait fait`,
		`quoi qui quel quelle quels quelles quand où comment pourquoi combien lequel laquelle lesquels lesquelles est-ce`,
		`quand année années date décennie siècle`,
		`zéro deux trois quatre cinq six sept huit neuf dix onze douze treize vingt trente quarante cinquante cent mille
		 million millions milliard milliards moitié tiers quart douzaine`,
		[]string{"combien", "quand", "quelle année", "quelle date", "quel siècle", "quelle décennie", "quel âge",
			"quel pourcentage", "quelle distance", "quelle température"},
		[]string{"qui", "où", "quelle ville", "quel pays", "quelle personne", "quelle entreprise", "quel joueur",
			"quelle équipe", "quelle université", "comment s appelle", "comment s appelait"}),
	newLanguage("Italian", "",
		`il lo la i gli le l un uno una`,
		`di del dello della dei degli delle a al allo alla ai agli alle da dal dalla dai in nel nello nella nei negli nelle con
		 su sul sulla per tra fra senza sotto sopra durante dopo prima contro secondo e ed o ma né che se come si suo sua
		 suoi sue loro è sono era erano fu furono essere stato stata stati state ha hanno aveva avevano non più molto anche
		 questo questa questi queste può possono c`,
		`cosa chi quale quali quando dove perché quanto quanta quanti quante cos com dov`,
		`quando anno anni data decennio secolo`,
		`zero due tre quattro cinque sei sette otto nove dieci undici dodici tredici venti trenta quaranta cinquanta cento
		 mille mila milione milioni miliardo miliardi metà terzo quarto dozzina`,
		[]string{"quanto", "quanta", "quanti", "quante", "quando", "che anno", "quale anno", "quale data", "quale secolo",
			"quale percentuale", "che età"},
		[]string{"chi", "dove", "dov", "quale città", "quale paese", "quale persona", "quale azienda", "quale squadra",
			"come si chiama", "come si chiamava"}),
	newLanguage("Portuguese", "ãõ",
		`o a os as um uma uns umas`,
		`de do da dos das em no na nos nas num numa por pelo pela pelos pelas para com sem sobre entre desde até sob
		 durante após contra segundo e ou mas nem que se como seu sua seus suas ele ela eles elas é são era eram foi foram
		 ser sido está estão estava tem têm tinha tinham havia há não mais muito também este esta estes estas esse essa
		 isso isto pode podem`,
		`quê quem qual quais quando onde aonde porque quanto quanta quantos quantas`,
		`quando ano anos data década século`,
		`zero dois duas três quatro cinco seis sete oito nove dez onze doze treze vinte trinta quarenta cinquenta cem
		 cento mil milhão milhões bilhão bilhões metade terço quarto dúzia`,
		[]string{"quanto", "quanta", "quantos", "quantas", "quando", "que ano", "qual ano", "que data", "que século",
			"que idade", "que porcentagem"},
		[]string{"quem", "onde", "aonde", "que cidade", "que país", "que pessoa", "que empresa", "que equipe",
			"como se chama", "como se chamava"}),
	newLanguage("Dutch", "",
		`de het een`,
		`van in op aan te ten ter tot voor met bij naar uit over onder door tegen zonder om sinds tijdens tussen en of maar
		 dat als dan is zijn was waren wordt worden werd werden geworden geweest heeft hebben had hadden er hij zij ze het
		 zich zijn haar hun niet geen ook nog maar zeer zo deze dit die kan kunnen kon konden moet moeten daar volgens`,
		`wat wie wiens waar waarom wanneer welke welk hoe hoeveel waarmee waarvoor waarvan waarin waaruit waardoor`,
		`wanneer jaar jaren datum decennium eeuw`,
		`nul twee drie vier vijf zes zeven acht negen tien elf twaalf dertien twintig dertig veertig vijftig honderd duizend
		 miljoen miljard helft derde kwart dozijn`,
		[]string{"hoeveel", "wanneer", "hoe oud", "hoe lang", "hoe ver", "hoe hoog", "hoe groot", "hoe vaak", "welk jaar",
			"welke datum", "welke eeuw", "welk percentage"},
		[]string{"wie", "wiens", "waar", "welke stadt", "welke stad", "welk land", "welke persoon", "welk bedrijf",
			"welke speler", "welk team", "hoe heet"}),
}

// chinese words are single characters to the analyser, and so these are: the
// parts of question words, particles and the commonest verbs.
var chinese = newLanguage("Chinese", "", "",
	`的 了 是 在 和 与 或 被 把 对 从 到 为 以 于 而 也 都 就 不 有 这 那 个 些 之 其 所 们 中 上 下 时 后 前`,
	`什 么 谁 哪 何 几 多 少 吗 呢 怎 样 里`,
	`何 年`,
	`零 一 二 三 四 五 六 七 八 九 十 百 千 万 亿`,
	nil, nil)

"""The demo's petition in eight languages: title, whom it addresses, text in Markdown."""

SLUG = "one-law"
TEXTS: dict[str, tuple[str, str, str]] = {
    "en": (
        "One law on buying sex for the whole European Union",
        "The European Commission",
        """Trafficking follows demand. Where buying sex is legal, people are brought to be sold; where one country closes the door,
the trade moves next door. A patchwork of laws protects those who profit from it.

In 1999 Sweden was the first country to make it a crime to buy sex, and no crime to be bought. France and Ireland have
followed. It is time for a law that does not end at a border.

**We ask the European Commission to propose a common law for all member states:**

1. Buying sex is a crime everywhere in the Union.
2. Nobody is punished for having been sold.
3. Whoever wants to leave gets help: a safe home, care, work, and a right to stay.

A hundred organisations in all member states stand behind this demand. Add your name.
""",
    ),
    "sv": (
        "En sexköpslag för hela Europeiska unionen",
        "Europeiska kommissionen",
        """Människohandel följer efterfrågan. Där det är tillåtet att köpa sex förs människor dit för att säljas; stänger ett land
dörren flyttar handeln till grannlandet. Ett lapptäcke av lagar skyddar dem som tjänar på den.

1999 blev Sverige först i världen med att göra det brottsligt att köpa sex, men inte att bli köpt. Frankrike och Irland har
följt efter. Nu är det dags för en lag som inte tar slut vid en gräns.

**Vi uppmanar Europeiska kommissionen att föreslå en gemensam lag för alla medlemsländer:**

1. Att köpa sex är ett brott i hela unionen.
2. Ingen straffas för att ha blivit såld.
3. Den som vill lämna får hjälp: ett tryggt hem, vård, arbete och rätt att stanna.

Hundra organisationer i alla medlemsländer står bakom kravet. Skriv under du också.
""",
    ),
    "de": (
        "Ein gemeinsames Sexkaufverbot für die ganze Europäische Union",
        "die Europäische Kommission",
        """Menschenhandel folgt der Nachfrage. Wo Sexkauf erlaubt ist, werden Menschen hingebracht, um verkauft zu werden; schließt
ein Land die Tür, zieht der Handel ins Nachbarland. Ein Flickenteppich von Gesetzen schützt die, die daran verdienen.

1999 hat Schweden als erstes Land der Welt den Kauf von Sex unter Strafe gestellt, nicht aber, gekauft zu werden. Frankreich
und Irland sind gefolgt. Es ist Zeit für ein Gesetz, das nicht an einer Grenze endet.

**Wir fordern die Europäische Kommission auf, ein gemeinsames Gesetz für alle Mitgliedstaaten vorzuschlagen:**

1. Sexkauf ist überall in der Union eine Straftat.
2. Niemand wird dafür bestraft, verkauft worden zu sein.
3. Wer aussteigen will, bekommt Hilfe: eine sichere Wohnung, Betreuung, Arbeit und ein Bleiberecht.

Hundert Organisationen in allen Mitgliedstaaten stehen hinter dieser Forderung. Unterschreiben auch Sie.
""",
    ),
    "fr": (
        "Une seule loi sur l’achat d’actes sexuels pour toute l’Union européenne",
        "la Commission européenne",
        """La traite suit la demande. Là où l’achat d’actes sexuels est permis, des personnes sont amenées pour être vendues ; quand
un pays ferme la porte, le trafic passe chez le voisin. Des lois disparates protègent ceux qui en profitent.

En 1999, la Suède a été le premier pays à punir l’achat d’actes sexuels, et non le fait d’être acheté. La France et l’Irlande
l’ont suivie. Il est temps d’avoir une loi qui ne s’arrête pas à la frontière.

**Nous demandons à la Commission européenne de proposer une loi commune à tous les États membres :**

1. L’achat d’actes sexuels est une infraction partout dans l’Union.
2. Personne n’est puni pour avoir été vendu.
3. Quiconque veut en sortir reçoit de l’aide : un logement sûr, des soins, un travail et le droit de rester.

Cent organisations de tous les États membres soutiennent cette demande. Ajoutez votre nom.
""",
    ),
    "es": (
        "Una sola ley sobre la compra de sexo para toda la Unión Europea",
        "la Comisión Europea",
        """La trata sigue a la demanda. Donde comprar sexo es legal, se lleva a personas para venderlas; cuando un país cierra la
puerta, el negocio se muda al país vecino. Un mosaico de leyes protege a quienes se lucran.

En 1999, Suecia fue el primer país que convirtió en delito comprar sexo, y no ser comprada. Francia e Irlanda la han seguido.
Es hora de una ley que no termine en una frontera.

**Pedimos a la Comisión Europea que proponga una ley común para todos los Estados miembros:**

1. Comprar sexo es delito en toda la Unión.
2. A nadie se le castiga por haber sido vendida.
3. Quien quiera salir recibe ayuda: un hogar seguro, atención, trabajo y derecho a quedarse.

Cien organizaciones de todos los Estados miembros respaldan esta petición. Añade tu nombre.
""",
    ),
    "pl": (
        "Jedno prawo o kupowaniu seksu dla całej Unii Europejskiej",
        "Komisja Europejska",
        """Handel ludźmi idzie za popytem. Tam, gdzie wolno kupować seks, sprowadza się ludzi, żeby ich sprzedawać; gdy jeden kraj
zamyka drzwi, handel przenosi się do sąsiada. Różne prawa w każdym kraju chronią tych, którzy na tym zarabiają.

W 1999 roku Szwecja jako pierwsza uznała kupowanie seksu za przestępstwo, nie karząc osób kupowanych. Za nią poszły Francja
i Irlandia. Czas na prawo, które nie kończy się na granicy.

**Wzywamy Komisję Europejską, by zaproponowała wspólne prawo dla wszystkich państw członkowskich:**

1. Kupowanie seksu jest przestępstwem w całej Unii.
2. Nikt nie jest karany za to, że został sprzedany.
3. Kto chce odejść, dostaje pomoc: bezpieczny dom, opiekę, pracę i prawo pobytu.

Za tym postulatem stoi sto organizacji ze wszystkich państw członkowskich. Dodaj swój podpis.
""",
    ),
    "ar": (
        "قانون واحد بشأن شراء الجنس للاتحاد الأوروبي كله",
        "المفوضية الأوروبية",
        """الاتجار بالبشر يتبع الطلب. حيث يُسمح بشراء الجنس يُجلب الناس ليُباعوا، وإذا أغلق بلد بابه انتقلت التجارة إلى البلد المجاور.
واختلاف القوانين بين بلد وآخر يحمي من يربحون منها.

في عام 1999 كانت السويد أول بلد يجعل شراء الجنس جريمة، دون أن يعاقب من يُشترى. وتبعتها فرنسا وأيرلندا. حان الوقت لقانون لا
يتوقف عند الحدود.

**نطالب المفوضية الأوروبية باقتراح قانون مشترك لجميع الدول الأعضاء:**

1. شراء الجنس جريمة في كل مكان من الاتحاد.
2. لا يُعاقَب أحد لأنه بيع.
3. من يريد الخروج يحصل على المساعدة: بيت آمن ورعاية وعمل وحق في الإقامة.

تقف وراء هذا المطلب مئة منظمة من جميع الدول الأعضاء. أضف اسمك.
""",
    ),
    "uk": (
        "Єдиний закон про купівлю сексу для всього Європейського Союзу",
        "Європейська комісія",
        """Торгівля людьми йде за попитом. Там, де купувати секс дозволено, людей привозять, щоб продавати; коли одна країна зачиняє
двері, торгівля переходить до сусідньої. Різні закони захищають тих, хто на цьому заробляє.

У 1999 році Швеція першою визнала злочином купівлю сексу, не караючи тих, кого купують. За нею пішли Франція та Ірландія.
Настав час для закону, який не закінчується на кордоні.

**Ми закликаємо Європейську комісію запропонувати спільний закон для всіх держав-членів:**

1. Купівля сексу є злочином у всьому Союзі.
2. Нікого не карають за те, що його продали.
3. Хто хоче вийти, отримує допомогу: безпечний дім, догляд, роботу та право залишитися.

За цією вимогою стоять сто організацій з усіх держав-членів. Додайте своє ім’я.
""",
    ),
}
